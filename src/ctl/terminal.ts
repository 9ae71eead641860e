import type { Host } from "./host.ts";

/** Rows and columns of a terminal. */
export type WindowSize = { readonly row: number; readonly column: number };

/** The size of our own terminal, if we have one. */
export function windowSize(host: Host): WindowSize | undefined {
  const { rows, columns } = host.stdout;
  return rows === undefined || columns === undefined ? undefined : { row: rows, column: columns };
}

/**
 * Hands our terminal over to a process of the guest: keys pass unread (Ctrl-C too), and `onResize` hears of every new
 * size. The caller owes the disposal, which gives the terminal back as it was.
 */
export function lendTerminal(host: Host, onResize: (size: WindowSize) => void): Disposable {
  const { stdin, stdout } = host;
  const raw = stdin.isTTY === true && stdin.setRawMode !== undefined;
  const report = () => {
    const size = windowSize(host);
    if (size !== undefined) onResize(size);
  };
  if (raw) stdin.setRawMode?.(true);
  stdout.on("resize", report);
  return {
    [Symbol.dispose]() {
      stdout.off("resize", report);
      if (raw) stdin.setRawMode?.(false);
    },
  };
}
