// The settings in a real browser: what is changed takes effect at once, keys stay unseen, and everything can be done
// from the keyboard.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, launch, type Mode, modes, openWindow, shoot } from "./window";

let browser: Browser;
let page: Page;
let troubles: string[];
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function open(section: string, mode: Mode = modes.light, query: Record<string, string | number> = {}) {
  ({ page, troubles } = await openWindow(browser, mode, { section, ...query }));
  await page.locator("#settings-heading").waitFor();
}

const root = (read: "theme" | "dir" | "lang" | "scale") =>
  page.evaluate((what) => {
    const { documentElement: element } = document;
    if (what === "theme") return element.dataset.theme ?? "system";
    return what === "scale" ? getComputedStyle(element).fontSize : element[what];
  }, read);
const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
const engineNames = () => page.locator("[data-grip]").evaluateAll((grips) => grips.map((grip) => grip.dataset.grip));

beforeEach(() => () => page.context().close());

describe("appearance", () => {
  beforeEach(() => open("appearance"));

  it("takes another theme at once", async () => {
    expect(await root("theme")).toBe("light");
    await page.getByRole("radio", { name: "Dark" }).click();
    expect(await root("theme")).toBe("dark");
    await page.getByRole("radio", { name: "System" }).click();
    expect(await root("theme")).toBe("system");
  });

  it("takes another size of text at once, and goes back to the usual one", async () => {
    const slider = page.getByRole("slider", { name: "Text size" });
    await slider.focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => root("scale")).toBe("19.2px");
    await button(/Back to 100/).click();
    await expect.poll(() => root("scale")).toBe("16px");
  });

  it("shows the size in the preview while the slider is still held", async () => {
    const preview = () => page.locator("figure > p").evaluate((text) => getComputedStyle(text).fontSize);
    const box = (await page.getByRole("slider").boundingBox())!;
    await page.mouse.move(box.x + box.width / 4, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 1, box.y + box.height / 2);
    await expect.poll(preview).toBe("25.6px");
    expect(await root("scale")).toBe("16px");
    await page.mouse.up();
    await expect.poll(() => root("scale")).toBe("25.6px");
  });

  it("speaks another language at once, from right to left where that is read so", async () => {
    await page.getByRole("combobox", { name: "Language" }).click();
    await page.getByRole("option", { name: "العربية" }).click();
    await expect.poll(() => root("dir")).toBe("rtl");
    expect(await root("lang")).toBe("ar");
    expect(await page.locator("#settings-heading").textContent()).toBe("المظهر");
  });
});

describe("what is chosen takes effect at once", () => {
  const newChat = () =>
    button(/^New chat/)
      .first()
      .click();

  it("the model that answers", async () => {
    await open("models");
    const picker = page.getByRole("combobox", { name: "Default model" });
    await picker.click();
    await page.getByRole("option", { name: /qwen3/ }).click();
    await newChat();
    await button("Model: qwen3:8b").waitFor();
    await page.getByText("qwen3:8b").nth(1).waitFor();
  });

  it("whether questions are searched for", async () => {
    await open("search");
    await page.getByRole("switch", { name: "Search by default" }).click();
    await newChat();
    await button("Where to look: No search").waitFor();
  });

  it("in the other windows too", async () => {
    ({ page, troubles } = await openWindow(browser, { ...modes.light, width: 720, height: 420 }, {}, "/quick.html"));
    await page.getByText("gpt-5-mini").waitFor();
    await page.evaluate(async () => {
      await fakePlatform.updateSetting("default_model", "ollama/llama3.2");
      await fakePlatform.updateSetting("enable_search_by_default", "false");
    });
    await page.getByText("llama3.2").waitFor();
    await page.getByText("Without searching").waitFor();
  });
});

it("moves what changes, and nothing where the system asks for less motion", async () => {
  const duration = async (mode: Mode) => {
    await open("search", mode);
    const knob = page.getByRole("switch", { name: "Search by default" }).locator("> *");
    const took = await knob.evaluate((knob) => parseFloat(getComputedStyle(knob).transitionDuration));
    if (mode.motion) await page.context().close();
    return took;
  };
  expect(await duration({ ...modes.light, motion: "no-preference" })).toBeGreaterThan(0.1);
  expect(await duration(modes.light)).toBeLessThan(0.001);
});

describe("search engines", () => {
  beforeEach(() => open("search"));

  it("are put in order from the keyboard, and the focus goes with them", async () => {
    await page.locator("[data-grip]").first().waitFor();
    expect(await engineNames()).toEqual(["brave", "wikipedia", "duckduckgo", "exa", "tavily"]);
    await button("Move Exa").focus();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    expect(await engineNames()).toEqual(["brave", "exa", "wikipedia", "duckduckgo", "tavily"]);
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Move Exa");
    await expect.poll(() => page.getByText("Exa is now 2 of 5.").count()).toBe(1);
  });

  it("are dragged by their grips", async () => {
    const from = (await button("Move DuckDuckGo").boundingBox())!;
    const to = (await button("Move Brave Search").boundingBox())!;
    await page.mouse.move(from.x + 5, from.y + 5);
    await page.mouse.down();
    await page.mouse.move(to.x + 5, to.y + 60, { steps: 4 });
    await page.mouse.move(to.x + 5, to.y + 2, { steps: 4 });
    expect(await engineNames()).toEqual(["duckduckgo", "brave", "wikipedia", "exa", "tavily"]);
    await page.keyboard.press("Escape");
    expect(await engineNames()).toEqual(["brave", "wikipedia", "duckduckgo", "exa", "tavily"]);
    await page.mouse.up();
    await page.mouse.down();
    await page.mouse.move(to.x + 5, to.y + 60, { steps: 4 });
    await page.mouse.up();
    await expect.poll(engineNames).toEqual(["wikipedia", "brave", "duckduckgo", "exa", "tavily"]);
  });

  it("keep a key to themselves once it is saved", async () => {
    await button("Key and address of Serper").click();
    await button("Add a key of Serper").click();
    const field = page.getByLabel("Key of Serper");
    expect(await field.getAttribute("type")).toBe("password");
    await field.fill("sk-very-secret");
    await page.keyboard.press("Enter");
    await button("Replace the key of Serper").waitFor();
    expect(await page.content()).not.toContain("sk-very-secret");
    await button("Replace the key of Serper").click();
    expect(await page.getByLabel("Key of Serper").inputValue()).toBe("");
    await page.keyboard.press("Escape");
    await button("Remove the key of Serper").click();
    await button("Add a key of Serper").waitFor();
  });

  it("leave a field alone while an input method is at it", async () => {
    await button("Key and address of Serper").click();
    await button("Add a key of Serper").click();
    const field = page.getByLabel("Key of Serper");
    await field.fill("half");
    await field.dispatchEvent("keydown", { key: "Escape", keyCode: 229 });
    await page.waitForTimeout(100);
    expect(await field.inputValue()).toBe("half");
    await button("Key and address of SearXNG").click();
    const address = page.getByRole("textbox", { name: "Address of SearXNG" });
    await address.fill("local");
    await address.dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
    await page.waitForTimeout(100);
    expect(await page.getByText("Write an address that begins with").count()).toBe(0);
  });

  it("say what each did with a test", async () => {
    await button("Test engines").click();
    await page.getByText("Answered with 10 results").first().waitFor();
    await page.getByText("Test failed").first().waitFor();
  });

  it("do not take an address that is none", async () => {
    await button("Key and address of SearXNG").click();
    const field = page.getByRole("textbox", { name: "Address of SearXNG" });
    await field.fill("localhost:8888");
    await page.keyboard.press("Enter");
    await page.getByText("Write an address that begins with").waitFor();
    await field.fill("http://localhost:8888");
    await page.keyboard.press("Enter");
    await button("Clear the address").waitFor();
  });
});

it("says once where the shortcut does nothing, and leads to where another is chosen", async () => {
  ({ page, troubles } = await openWindow(browser, modes.light, { scenario: "taken" }));
  await page.getByText("Ctrl Shift Space does not open quick ask now").waitFor();
  await shoot(page, "shortcut-taken");
  await button("Shortcuts").click();
  await page.locator("#settings-heading", { hasText: "Shortcuts" }).waitFor();
  await page.getByText("Does not work now").waitFor();
  await page.reload();
  await page.locator("main").waitFor();
  await page.waitForTimeout(3500);
  expect(await page.getByText("does not open quick ask now").count()).toBe(0);
});

describe("the shortcut", () => {
  beforeEach(() => open("shortcuts"));

  it("is recorded from the keyboard and can be reset", async () => {
    await button("Change").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("j");
    await page.getByText("Hold Ctrl or Alt as well.").waitFor();
    await page.keyboard.press("Control+Alt+j");
    await page.locator("kbd", { hasText: /^J$/ }).waitFor();
    const spaces = page.locator("kbd", { hasText: /^Space$/ });
    const others = await spaces.count();
    await button(/^Reset to/).click();
    await expect.poll(() => spaces.count()).toBe(others + 1);
  });

  it("says so when another program has it", async () => {
    await button("Change").click();
    await page.keyboard.press("Alt+Space");
    await page.getByText("Another program uses these keys.").waitFor();
    expect(await page.getByText("Works in every program").count()).toBe(0);
  });

  it("says what the same keys mean in the window", async () => {
    await button("Change").click();
    await page.keyboard.press("Control+k");
    await page.getByText("“Command palette”").waitFor();
  });

  it("stays as it is after Esc, and the focus goes back", async () => {
    await button("Change").click();
    await page.keyboard.press("Escape");
    await button("Change").waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Change");
  });
});

describe("data", () => {
  beforeEach(() => open("data"));

  it("asks before a backup takes the place of what is there", async () => {
    await button(/^Restore the backup/)
      .first()
      .click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("DeepSearch starts again.").waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Cancel");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  it("makes a backup and shows it first", async () => {
    const rows = button(/^Restore the backup/);
    await rows.first().waitFor();
    const before = await rows.count();
    await button("Back up now").click();
    await expect.poll(() => rows.count()).toBe(before + 1);
    await page.getByText("By hand").first().waitFor();
  });

  it("tells what a health check found, in words", async () => {
    await button("Check now").click();
    await page.getByText("3 things need a look.").waitFor();
    await page.getByText("Needs attention").waitFor();
  });

  it("tells it in the language of the window", async () => {
    await open("data", modes.light, { language: "de" });
    await button("Jetzt prüfen").click();
    await page.getByText("Änderungen, die der Server ablehnt und die hier aufbewahrt werden: 3.").waitFor();
    expect(await page.locator("li .part").first().textContent()).toBe("Datenordner");
    expect(await page.getByText(/can be read|Pages are/).count()).toBe(0);
  });

  it("does not take a number outside its range, and keeps the old one on Esc", async () => {
    const days = page.getByRole("spinbutton", { name: "Keep chats in Trash for" });
    await days.fill("0");
    await page.keyboard.press("Enter");
    await page.getByText("Write a whole number from 1 to 3,650.").waitFor();
    await page.keyboard.press("Escape");
    expect(await days.inputValue()).toBe("30");
  });
});

describe("what others decide", () => {
  it("is shown and cannot be changed", async () => {
    await open("answers");
    const field = page.getByRole("spinbutton", { name: "Evidence shown to the model" });
    expect(await field.isDisabled()).toBe(true);
    await page.getByText("DEEPSEARCH_ANSWER__EVIDENCE_TOKENS").waitFor();
  });
});

describe("models", () => {
  beforeEach(() => open("models"));

  it("are found by typing, and the chosen one stands in the field", async () => {
    const picker = page.getByRole("combobox", { name: "Default model" });
    await picker.click();
    await page.keyboard.type("qwen");
    await expect.poll(() => page.getByRole("option").count()).toBe(1);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => picker.inputValue()).toBe("ollama/qwen3:8b");
    await picker.click();
    await page.getByRole("option", { name: /Automatic/ }).click();
    await expect.poll(() => picker.inputValue()).toBe("Automatic");
  });

  it("say what is wrong with a server before it is added", async () => {
    await button("Add a server").click();
    await page.getByLabel("Name").fill("openai");
    await page.getByText("There is one of that name already.").waitFor();
    await button("Add").click();
    await page.getByText("Write an address that begins with").waitFor();
  });
});

describe("privacy", () => {
  it("follows the settings as they change", async () => {
    await open("privacy");
    await page.getByText("go to OpenAI").waitFor();
    await page.getByText("Results are kept on this computer only.").waitFor();
    await button("Add address").click();
    await page.getByLabel("Address of the shared search cache").fill("redis://:pass@cache:6379");
    await page.keyboard.press("Enter");
    await page.getByText("also kept in your Redis server").waitFor();
    expect(await page.content()).not.toContain("pass@cache");
    await page.getByRole("switch", { name: "Read pages of the local network" }).click();
    await page.getByText("look into your network").waitFor();
  });
});

describe("in a narrow window", () => {
  it("the sections are one control, by which all can be reached", async () => {
    await open("appearance", modes.narrow);
    expect(await page.getByRole("navigation", { name: "Settings sections" }).count()).toBe(0);
    await page.getByRole("combobox", { name: "Settings sections" }).click();
    await page.getByRole("option", { name: "Privacy" }).click();
    await expect.poll(() => page.locator("#settings-heading").textContent()).toBe("Privacy");
  });
});

describe.each([modes.light, modes.rtl])("$name", (mode) => {
  it.each(["answers", "start"])("%s comes up well", async (section) => {
    await open(section, mode);
    await shoot(page, `settings-${section}-${mode.name}`);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });
});

describe.each([modes.light, modes.dark])("axe finds nothing, $name,", (mode) => {
  const unfolded: Record<string, () => Promise<void>> = {
    search: async () => {
      await button(/^(Key and address of Exa)/).waitFor();
      await button("Replace the key of Exa").click();
      await button("Key and address of SearXNG").click();
      await button("Test engines").click();
      await page.getByText("Test failed").first().waitFor();
    },
    models: async () => {
      await button("Key and address of OpenAI").click();
      await button("Add a server").click();
      await button("Add").click();
    },
    data: async () => {
      await button("Check now").click();
      await page.getByText("Needs attention").waitFor();
    },
    shortcuts: async () => {
      await button("Change").click();
      await page.keyboard.press("Alt+Space");
      await page.getByText("Another program").waitFor();
    },
    privacy: async () => {
      await page.getByRole("switch", { name: "Read pages of the local network" }).click();
      await button("Add address").click();
    },
  };
  it.each(Object.entries(unfolded))("with %s unfolded", async (section, unfold) => {
    await open(section, mode);
    await unfold();
    // A label that is scrolled out of sight counts as none.
    await page.locator("main .scroller").evaluate((scroller) => scroller.scrollTo({ top: 0 }));
    await shoot(page, `settings-${section}-unfolded-${mode.name}`);
    expect({ troubles, axe: await axe(page) }).toEqual({ troubles: [], axe: [] });
  });
});
