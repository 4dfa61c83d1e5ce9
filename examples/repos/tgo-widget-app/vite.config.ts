import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  build: {
    // Read by those who load the pages' parts themselves: dist/.vite/manifest.json.
    manifest: true,
  },
  server: { port: 5173 },
  preview: { port: 5174 },
});
