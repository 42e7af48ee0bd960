// The small sum that a browser does before the house takes something from somebody whom it does not know.
const PATIENCE = 20_000;

/** The solved sum as a form or a call carries it; "" when it cannot be done here. */
export async function sum({ address, worker }) {
  const answer = await fetch(address, { cache: "no-store" });
  if (!answer.ok) return "";
  const challenge = await answer.json();
  const hand = new Worker(worker, { type: "module" });
  const solution = await new Promise((done) => {
    hand.onmessage = ({ data }) => done(data);
    hand.onerror = () => done(null);
    setTimeout(() => done(null), PATIENCE);
    hand.postMessage(challenge.parameters);
  });
  hand.terminate();
  return solution ? btoa(JSON.stringify({ challenge, solution })) : "";
}

export const within = (milliseconds, work) => Promise.race([work, new Promise((go) => setTimeout(go, milliseconds))]);
