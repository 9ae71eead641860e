import type { Reader } from "./option-readers.ts";

/**
 * One option: its key on the kernel command line, in the TOML file and in the environment, as far as it has them; how
 * its text is read; and what holds without it.
 */
export type OptionRow<T> = {
  readonly cmdline?: string;
  readonly file?: string;
  readonly env?: string;
  /** What older versions called it in the environment; `env` counts before it. */
  readonly oldEnv?: string;
  readonly read: Reader<T>;
  readonly fallback: T;
  /** Read only so that a bad value is told: it changes nothing here. */
  readonly idle?: true;
};

/** A row for every option of a group. */
export type OptionTable<Options> = { readonly [K in keyof Options]: OptionRow<Options[K]> };
