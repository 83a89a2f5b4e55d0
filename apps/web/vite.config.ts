import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `vite dev` sends API calls; the built pages are served by the server itself. */
const devServer = process.env["SYLA_URL"] ?? "http://127.0.0.1:7878";

export default defineConfig({
  // Relative addresses: the server may serve the pages under any base path (it sets <base href>).
  base: "./",
  plugins: [react()],
  build: { target: "es2023", chunkSizeWarningLimit: 700, assetsInlineLimit: 0 },
  server: { host: "127.0.0.1", proxy: { "/api": devServer } },
});
