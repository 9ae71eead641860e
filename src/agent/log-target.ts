/** Where log lines leave the program. None of it ever throws or holds back whoever logs. */
export type LogTarget = {
  /** Takes one or more whole lines. */
  write(lines: string): void;
  /** Lets out what can leave at once. */
  flush(): void;
  /** Lets out what leaves within a short time; lines that come later may be lost. Safe to repeat. */
  close(): Promise<void>;
};
