import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const axeOptions: axe.RunOptions = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  resultTypes: ["violations"], // what passed is not described, which takes longer than the checks
};

/** What of it a change of colours alone can break. */
const colourOptions: axe.RunOptions = { ...axeOptions, runOnly: { type: "rule", values: ["color-contrast"] } };

/**
 * Whether a page is free of what WCAG 2.2 AA forbids, and fits the window; `name` is told when it is not. Of a page that has been looked at
 * and changed its colours alone, only those are (`onlyColours`).
 */
export async function expectAccessible(shown: Page, name: string, { onlyColours = false } = {}): Promise<void> {
  if (await shown.evaluate<boolean>("typeof axe === 'undefined'")) await shown.evaluate(axe.source);
  const { violations } = await shown.evaluate<axe.AxeResults>(
    `axe.run(document, ${JSON.stringify(onlyColours ? colourOptions : axeOptions)})`,
  );
  expect(violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`)).toEqual([]);
  expect(
    await shown.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
    `${name} scrolls sideways`,
  ).toBe(0);
}
