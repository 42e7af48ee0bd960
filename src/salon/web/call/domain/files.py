"""Files of applications. Each is kept byte for byte under a name of ours, and handed out as a download only; what is
shown of a picture is made anew from its pixels (gallery/domain/uploads.py).

What a file is, its first bytes say. Kinds that browsers run (HTML, SVG, scripts) are not taken; what else hides in a
file that is taken (a page behind a picture, a bomb in an archive) is never opened here and never shown by a browser.
"""

import os
import re
from collections.abc import Callable, Collection

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from salon.core.errors import BadRecipe, Conflict
from salon.core.hashing import bytes_hash
from salon.core.text import tidy
from salon.web.call.domain import drafts, states, windows
from salon.web.call.domain.applying import mine
from salon.web.call.models import Question, Submission, Upload
from salon.web.events.trail import again
from salon.web.gallery.domain.uploads import check_head, is_avif, to_show
from salon.web.ids import new_id
from salon.web.leftovers import Shelf, discard, discard_later
from salon.web.people.models import Guest

MB = 1_000_000
#: a file, an application's files together, and their number beside a question
MOST_A_FILE, MOST_BYTES, MOST_A_QUESTION = 20 * MB, 60 * MB, 6

PICTURES: dict[str, Callable[[bytes], bool]] = {
    "image/png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "image/webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
    "image/avif": is_avif,
}
PICTURE_ENDINGS = ("png", "jpg", "jpeg", "webp", "avif")


def _begins(*heads: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(heads)


def _boxed(head: bytes) -> bool:
    return head[4:8] == b"ftyp"


#: other files by their ending: their kind, and what their first bytes must be
OTHERS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "pdf": ("application/pdf", _begins(b"%PDF-")),
    "gif": ("image/gif", _begins(b"GIF87a", b"GIF89a")),
    "tif": ("image/tiff", _begins(b"II*\x00", b"MM\x00*")),
    "tiff": ("image/tiff", _begins(b"II*\x00", b"MM\x00*")),
    "mp4": ("video/mp4", _boxed),
    "mov": ("video/quicktime", _boxed),
    "m4a": ("audio/mp4", _boxed),
    "webm": ("video/webm", _begins(b"\x1aE\xdf\xa3")),
    "mp3": ("audio/mpeg", lambda head: head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")),
    "wav": ("audio/wav", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WAVE"),
    "ogg": ("audio/ogg", _begins(b"OggS")),
    "flac": ("audio/flac", _begins(b"fLaC")),
    "glb": ("model/gltf-binary", _begins(b"glTF")),
    "zip": ("application/zip", _begins(b"PK\x03\x04")),
}
_NAME = re.compile(r"[/\\:*?\"<>|]+")


def stored(names: Collection[str]) -> set[str]:
    """Those of the files in the storage that an application has."""
    rows = Upload.objects.filter(Q(file__in=names) | Q(shown__in=names)).values_list("file", "shown")
    return {name for row in rows for name in row if name}


SHELF = Shelf(re.compile("applications/[0-9a-f]{32}"), re.compile(r"[0-9a-f]{32}(\.webp)?"), stored)


def accepts(question: Question) -> str:
    """What the form's file field offers to choose."""
    if Question.PICTURES in question.options:
        return "image/png,image/jpeg,image/webp"
    return ",".join(f".{ending}" for ending in (*PICTURE_ENDINGS, *OTHERS))


def tidy_name(name: str) -> str:
    """A file's name as it may be told and given to a download: no path, no control characters, not too long."""
    clean = tidy(_NAME.sub(" ", os.path.basename(name.replace("\\", "/")))).strip(". ")
    stem, ending = os.path.splitext(clean)
    return f"{stem[:100]}{ending[:12]}" or "file"


def kind_of(name: str, head: bytes, pictures_only: bool) -> str:
    """What a file is, by its first bytes. Raises BadRecipe for kinds that are not taken, or that are not what their
    ending says."""
    check_head(head)
    ending = os.path.splitext(name)[1][1:].lower()
    if ending in PICTURE_ENDINGS:
        found = next((kind for kind, fits in PICTURES.items() if fits(head)), "")
        if not found:
            raise BadRecipe(_("“%(name)s” is not a PNG, JPEG or WebP picture.") % {"name": name}, _("Save it as one."))
        return found
    if pictures_only:
        raise BadRecipe(
            _("Only pictures are taken here, and “%(name)s” is none.") % {"name": name}, _("Give a PNG, JPEG or WebP.")
        )
    if ending not in OTHERS:
        kinds = ", ".join((*PICTURE_ENDINGS, *OTHERS))
        raise BadRecipe(
            _("Files like “%(name)s” are not taken.") % {"name": name}, _("These are: %(kinds)s.") % {"kinds": kinds}
        )
    kind, fits = OTHERS[ending]
    if not fits(head):
        raise BadRecipe(
            _("“%(name)s” is not what its ending says.") % {"name": name},
            _("Save it again with the program that made it, or give it in a zip file."),
        )
    return kind


def keep(guest: Guest | None, submission_id: str, question: Question, file: UploadedFile, opened: str) -> Upload:
    """Takes a file in. The same bytes beside the same question are one file. Raises BadRecipe, Conflict, Forbidden,
    drafts.NoRoom, windows.Late."""
    name = tidy_name(file.name or "")
    if (file.size or 0) > MOST_A_FILE:
        raise BadRecipe(
            _("“%(name)s” is larger than %(most)d MB.") % {"name": name, "most": MOST_A_FILE // MB},
            _("Make it smaller, or give a link to it instead."),
        )
    data = file.read()
    if not data:
        raise BadRecipe(_("“%(name)s” is empty.") % {"name": name}, _("Choose another one."))
    kind = kind_of(name, data[:16], Question.PICTURES in question.options)
    mine(guest, submission_id)  # before work is done for anybody
    shown = to_show(data) if kind in PICTURES else b""
    names: list[str] = []
    try:
        with transaction.atomic():
            return _keep(guest, submission_id, question, opened, name, kind, data, shown, names)
    except BaseException:
        discard(names)  # it looks at the rows: an error may come after the commit
        raise


def _keep(
    guest: Guest | None, submission_id: str, question: Question, opened: str, name: str, kind: str, data: bytes,
    shown: bytes, names: list[str],
) -> Upload:  # fmt: skip
    submission, sha256 = open_for(guest, submission_id, opened), bytes_hash(data)
    beside = submission.uploads.filter(question=question)
    if found := beside.filter(sha256=sha256).first():
        return found
    if beside.count() >= MOST_A_QUESTION:
        raise Conflict(_("There are %(most)d files already.") % {"most": MOST_A_QUESTION}, _("Take one away first."))
    if drafts.bytes_of(submission.uploads.all()) + len(data) > MOST_BYTES:
        raise BadRecipe(
            _("Together your files would be larger than %(most)d MB.") % {"most": MOST_BYTES // MB},
            _("Make them smaller, or give a link instead."),
        )
    drafts.check_room(submission, len(data))
    stem = f"applications/{submission.id}/{new_id()}"
    for ending, content in (("", data), (".webp", shown)):
        if content:
            names.append(f"{stem}{ending}")
            default_storage.save(names[-1], ContentFile(content))
    upload = Upload.objects.create(
        submission=submission, question=question, file=names[0], shown=names[1] if shown else "", name=name, kind=kind,
        size=len(data), sha256=sha256,
    )  # fmt: skip
    drafts.touch(submission)
    again(submission.event, "file kept", submission.id, text=sha256[:16])
    return upload


def open_for(guest: Guest | None, submission_id: str, opened: str) -> Submission:
    """The guest's application, its row locked, if its files may be changed now. Raises Conflict, Forbidden,
    windows.Late."""
    submission = mine(guest, submission_id, lock=True)
    if submission.state not in states.WRITABLE:
        raise Conflict(_("This application is %(state)s by now.") % {"state": submission.get_state_display()}, "")
    windows.check(windows.call_of(submission.event), submission, opened)
    return submission


def remove(guest: Guest | None, submission_id: str, upload_id: str, opened: str) -> None:
    """Takes a file away; twice is once. What was sent must stay whole. Raises Conflict, Forbidden, windows.Late."""
    with transaction.atomic():
        submission = open_for(guest, submission_id, opened)
        upload = submission.uploads.select_related("question").filter(id=upload_id).first()
        if upload is None:
            return
        question = upload.question
        alone = question and submission.uploads.filter(question=question).count() == 1
        if submission.state == Submission.State.SUBMITTED and alone and question.required and not question.retired:
            raise Conflict(_("Your application has been sent and needs a file here."), _("Add another one first."))
        erase(upload)


def erase(upload: Upload) -> None:
    """Inside a transaction: the row goes, and the files with it when it is committed."""
    names = [name for name in (upload.file.name, upload.shown) if name]
    upload.delete()
    discard_later(names)
