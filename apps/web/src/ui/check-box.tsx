import { chakra, type HTMLChakraProps } from "@chakra-ui/react";

/** The browser's own check box, in our colour. 24 px with its margin, so that it is large enough for a finger. */
export function CheckBox(props: HTMLChakraProps<"input">) {
  return <chakra.input type="checkbox" w="4" h="4" m="1" accentColor="accent.solid" verticalAlign="middle" cursor="pointer" {...props} />;
}
