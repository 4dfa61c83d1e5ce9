/** Receives one short line of progress, without a line end. */
export type Log = (line: string) => void;
