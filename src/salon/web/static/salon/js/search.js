// A picture to search by is made small here, so that a photo of any size can be shown and only its middle square leaves.
const SIDE = 256;
const form = document.getElementById("by-picture");
const input = document.getElementById("picture");

/** The middle square of a picture as a JPEG of 256 px. Rejects what the browser cannot read. */
async function small(file) {
  const picture = await createImageBitmap(file);
  const side = Math.min(picture.width, picture.height);
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, SIDE, SIDE);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  picture.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  return new File([blob], "picture.jpg", { type: "image/jpeg" });
}

async function send(event) {
  event.preventDefault();
  try {
    const chosen = new DataTransfer();
    chosen.items.add(await small(input.files[0]));
    input.files = chosen.files;
  } catch {
    input.setCustomValidity(form.dataset.broken);
    input.reportValidity();
    return;
  }
  form.submit();
}

form?.addEventListener("submit", send);
input?.addEventListener("change", () => input.setCustomValidity(""));
