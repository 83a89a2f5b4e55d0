import { ChakraProvider } from "@chakra-ui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { Tips } from "../ui/tips.tsx";
import { basePath } from "./api.ts";
import { followSystemColors } from "./color-mode.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { queryClient } from "./query-client.ts";
import { AppRoutes } from "./router.tsx";
import { system } from "./theme.ts";

followSystemColors();
createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <ChakraProvider value={system}>
      <ErrorBoundary>
        <QueryClientProvider client={queryClient}>
          <BrowserRouter basename={basePath || "/"}>
            <AppRoutes />
          </BrowserRouter>
        </QueryClientProvider>
        <Tips />
      </ErrorBoundary>
    </ChakraProvider>
  </StrictMode>,
);
