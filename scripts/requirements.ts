/** Installs what integration and end-to-end tests need, on a bare Debian machine. */
import { installRequirements } from "@tgo/testing";

await installRequirements({
  log: (text: string) => {
    console.log(text);
  },
});
