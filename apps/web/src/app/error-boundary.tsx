import { Box, Button, Text } from "@chakra-ui/react";
import { Component, type ReactNode } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";

interface ErrorBoundaryProps {
  readonly children: ReactNode;
}

interface ErrorBoundaryState {
  readonly error: unknown;
}

/** After an upgrade of the server an open tab may ask for a part that is gone; only a reload gets the new one. */
function isMissingChunk(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|module script failed|Importing a module/i.test(error.message);
}

/** Catches what a page throws while it renders, so that a bug costs one page and not the whole tab. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { error: null };

  static getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const shown = isMissingChunk(error)
      ? new Error("A part of this page could not be loaded. Syla may have been upgraded since you opened it.")
      : error;
    return (
      <Box maxW="lg" mx="auto" mt="16vh" px="4">
        <ErrorPanel error={shown} onRetry={() => this.setState({ error: null })}>
          <Text color="fg.muted" mt="2">
            What you typed into the editor is kept.
          </Text>
          <Button size="xs" mt="2" colorPalette="accent" onClick={() => window.location.reload()}>
            Reload the page
          </Button>
        </ErrorPanel>
      </Box>
    );
  }
}
