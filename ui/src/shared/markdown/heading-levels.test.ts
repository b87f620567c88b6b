import { expect, it } from "vitest";
import { Blocks } from "./blocks";
import { headingLevels } from "./heading-levels";

const levels = (source: string) => [
  ...headingLevels(new Blocks().read(source, { sources: 0, marks: [] }, false), 3).values(),
];

it("leaves no gap, at whatever depth a writer begins and goes on", () => {
  expect(levels("## One\n\n#### Under it\n\n## Two")).toEqual([3, 4, 3]);
  expect(levels("### One\n\n# Above\n\n## Under")).toEqual([3, 3, 4]);
  expect(levels("# 1\n\n## 2\n\n### 3\n\n#### 4\n\n##### 5")).toEqual([3, 4, 5, 6, 6]);
});

it("counts headings in quotes and lists, in the order of the text", () => {
  expect(levels("# One\n\n> ## Quoted\n\n- ### Listed\n\n## Two")).toEqual([3, 4, 5, 4]);
});
