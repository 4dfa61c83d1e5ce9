/** Modules that scripts/bundle.mjs and vitest.config.ts provide: programs and tool locks of builders and proof, as text. */
declare module "tgo:tools" {
  const text: string;
  export default text;
}

declare module "*.sh" {
  const text: string;
  export default text;
}

declare module "*.py" {
  const text: string;
  export default text;
}

declare module "*.txt" {
  const text: string;
  export default text;
}
