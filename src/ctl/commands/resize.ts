import { Method } from "../agent.ts";
import { addCommand, type Registry } from "../command.ts";
import { wholeNumber } from "../option-values.ts";

type Given = { readonly exec?: string };

/** More the kernel cannot hold in a window size. */
const maxSize = 65_535;

/** `agentctl resize ID ROWS COLUMNS`: the window size of a process with a terminal. */
export function addResize(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "resize <container> <rows> <columns>",
      summary: "set the window size of a process with a terminal",
      examples: ["--addr unix:///run/agent.sock resize web 40 120"],
    },
    async (session, [containerId = "", rows = "", columns = ""], given) => {
      const request = {
        container_id: containerId,
        exec_id: given.exec ?? containerId,
        row: wholeNumber(rows, "rows", 0, maxSize),
        column: wholeNumber(columns, "columns", 0, maxSize),
      };
      await (await session.agent()).call(Method.TtyWinResize, request);
      await session.answer(request, "");
    },
  ).option("--exec <id>", "the process of an exec instead of the container's init");
}
