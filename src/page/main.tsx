import { render } from "preact";
import { App } from "./app.tsx";
import { startState } from "./state.ts";

const root = document.getElementById("root");
if (root !== null) {
  startState();
  render(<App />, root);
}
