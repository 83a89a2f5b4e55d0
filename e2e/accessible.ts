import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

const axeOptions: axe.RunOptions = {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  resultTypes: ["violations"], // what passed is not described, which takes longer than the checks
};

/** Whether a page is free of what WCAG 2.2 AA forbids, and fits the window; `name` is told when it is not. */
export async function expectAccessible(shown: Page, name: string): Promise<void> {
  if (await shown.evaluate<boolean>("typeof axe === 'undefined'")) await shown.evaluate(axe.source);
  const { violations } = await shown.evaluate<axe.AxeResults>(`axe.run(document, ${JSON.stringify(axeOptions)})`);
  expect(violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`)).toEqual([]);
  expect(
    await shown.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
    `${name} scrolls sideways`,
  ).toBe(0);
}
