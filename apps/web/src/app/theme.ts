import { createSystem, defaultBaseConfig, defineConfig } from "@chakra-ui/react";
import * as preset from "@chakra-ui/react/theme";

const sans = `system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif`;
const mono = `ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace`;

/** One accent: a quiet iris. Everything else is neutral unless a status gives it meaning. */
const accent = {
  50: { value: "#f4f4fe" },
  100: { value: "#e8e8fc" },
  200: { value: "#d3d3f8" },
  300: { value: "#b3b3f2" },
  400: { value: "#8f8fea" },
  500: { value: "#6e6ade" },
  600: { value: "#5353cb" },
  700: { value: "#4b4bb8" },
  800: { value: "#3a3a8f" },
  900: { value: "#26264f" },
  950: { value: "#191930" },
};

const light = (name: string, dark: string) => ({ value: { _light: name, _dark: dark } });

const presetColors = preset.semanticTokens.colors;

const semanticColors = {
  accent: {
    solid: light("{colors.accent.600}", "{colors.accent.600}"),
    contrast: light("white", "white"),
    fg: light("{colors.accent.700}", "{colors.accent.300}"),
    muted: light("{colors.accent.100}", "{colors.accent.900}"),
    subtle: light("{colors.accent.50}", "{colors.accent.950}"),
    emphasized: light("{colors.accent.200}", "{colors.accent.800}"),
    focusRing: light("{colors.accent.600}", "{colors.accent.400}"),
    border: light("{colors.accent.300}", "{colors.accent.800}"),
  },
  gray: {
    solid: light("#2a2a31", "#ededf0"),
    contrast: light("#ffffff", "#1a1a1f"),
    fg: light("#33333b", "#dcdce2"),
    subtle: light("#f2f2f4", "#1c1c21"),
    muted: light("#e4e4e8", "#2f2f37"),
    emphasized: light("#cfcfd6", "#3a3a43"),
    focusRing: light("{colors.accent.600}", "{colors.accent.400}"),
    border: light("#d9d9df", "#33333b"),
  },
  bg: {
    ...presetColors.bg,
    DEFAULT: light("#ffffff", "#0f0f12"),
    subtle: light("#fafafa", "#141418"),
    muted: light("#f2f2f4", "#1c1c21"),
    emphasized: light("#e6e6ea", "#2a2a31"),
    panel: light("#ffffff", "#17171b"),
  },
  fg: {
    ...presetColors.fg,
    DEFAULT: light("#1a1a1f", "#ededf0"),
    muted: light("#565660", "#b0b0ba"),
    subtle: light("#6a6a75", "#92929e"),
    error: light("#b4232a", "#ff9a9a"),
    warning: light("#8f4a00", "#fbbf5e"),
    success: light("#176b3a", "#6fdc9a"),
    info: light("#1d5bb8", "#8ebcff"),
  },
  border: {
    ...presetColors.border,
    DEFAULT: light("#e4e4e8", "#27272d"),
    muted: light("#eeeef1", "#202025"),
    emphasized: light("#cfcfd6", "#3a3a43"),
  },
};

/** The button of nearly every place: 32 px high, with icons that do not outweigh the text. */
const smallButton = { ...preset.buttonRecipe.variants?.size?.xs, gap: "1.5", _icon: { width: "3.5", height: "3.5" } };

const config = defineConfig({
  preflight: true,
  cssVarsPrefix: preset.cssVarsPrefix,
  cssVarsRoot: preset.cssVarsRoot,
  globalCss: {
    ...preset.globalCss,
    "html, body, #root": { height: "100%" },
    html: { colorPalette: "gray", fontFamily: "body", scrollbarColor: "{colors.border.emphasized} transparent" },
    body: {
      bg: "bg",
      color: "fg",
      fontSize: "sm",
      lineHeight: "1.5",
      fontVariantNumeric: "tabular-nums",
      textRendering: "optimizeLegibility",
    },
    "*::placeholder": { color: "fg.subtle", opacity: 1 },
    "*::selection": { bg: "accent.emphasized" },
    ":focus-visible": { outline: "2px solid", outlineColor: "accent.focusRing", outlineOffset: "2px" },
    "*, *::before, *::after": {
      "@media (prefers-reduced-motion: reduce)": {
        animationDuration: "0.01ms !important",
        animationIterationCount: "1 !important",
        transition: "none !important", // a short one would hand inherited colours down one level a frame
        scrollBehavior: "auto !important",
      },
    },
  },
  theme: {
    breakpoints: preset.breakpoints,
    keyframes: preset.keyframes,
    tokens: {
      ...preset.tokens,
      fonts: { body: { value: sans }, heading: { value: sans }, mono: { value: mono } },
      fontSizes: {
        "2xs": { value: "0.6875rem" },
        xs: { value: "0.75rem" },
        sm: { value: "0.8125rem" },
        md: { value: "0.875rem" },
        lg: { value: "1rem" },
        xl: { value: "1.25rem" },
        "2xl": { value: "1.5rem" },
      },
      durations: { ...preset.tokens.durations, moderate: { value: "120ms" }, slow: { value: "150ms" } },
      colors: { ...preset.tokens.colors, accent },
    },
    semanticTokens: { ...preset.semanticTokens, colors: { ...presetColors, ...semanticColors } },
    textStyles: preset.textStyles,
    layerStyles: preset.layerStyles,
    animationStyles: preset.animationStyles,
    recipes: {
      button: {
        ...preset.buttonRecipe,
        variants: { ...preset.buttonRecipe.variants, size: { ...preset.buttonRecipe.variants?.size, xs: smallButton } },
      },
      heading: preset.headingRecipe,
      input: preset.inputRecipe,
      link: preset.linkRecipe,
      skeleton: preset.skeletonRecipe,
      spinner: preset.spinnerRecipe,
      textarea: preset.textareaRecipe,
    },
    slotRecipes: {
      field: preset.fieldSlotRecipe,
      menu: preset.menuSlotRecipe,
      nativeSelect: preset.nativeSelectSlotRecipe,
    },
  },
});

/** The design system's tokens: only the recipes that are used, to keep the first load small. */
export const system = createSystem(defaultBaseConfig, config);
