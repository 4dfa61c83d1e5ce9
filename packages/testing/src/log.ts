/** Receives one line of progress, without a newline. */
export type Log = (line: string) => void;
