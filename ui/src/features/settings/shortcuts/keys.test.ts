import { describe, expect, it } from "vitest";
import { read } from "./keys";

type Press = Parameters<typeof read>[0];

function press(key: string, code: string, held: Partial<Press> = {}): Press {
  return { key, code, ctrlKey: false, altKey: false, shiftKey: false, metaKey: false, ...held };
}

describe("pressed keys", () => {
  it("become a shortcut in the system's words", () => {
    expect(read(press(" ", "Space", { ctrlKey: true, shiftKey: true }), "linux")).toEqual({
      kind: "chord",
      keys: "CommandOrControl+Shift+Space",
    });
    expect(read(press(" ", "Space", { metaKey: true }), "macos")).toMatchObject({ keys: "CommandOrControl+Space" });
    expect(read(press("k", "KeyK", { metaKey: true, altKey: true }), "windows")).toMatchObject({ keys: "Super+Alt+K" });
    expect(read(press("ArrowUp", "ArrowUp", { altKey: true }), "linux")).toMatchObject({ keys: "Alt+ArrowUp" });
    expect(read(press(";", "Comma", { ctrlKey: true }), "linux")).toMatchObject({ keys: "CommandOrControl+," });
  });

  it("name a letter by what is printed on the key, and on macOS by its place", () => {
    expect(read(press("z", "KeyY", { ctrlKey: true }), "linux")).toMatchObject({ keys: "CommandOrControl+Z" });
    expect(read(press("Ω", "KeyZ", { altKey: true }), "macos")).toMatchObject({ keys: "Alt+Z" });
  });

  it("are no shortcut while only modifiers are held", () => {
    expect(read(press("Shift", "ShiftLeft", { ctrlKey: true, shiftKey: true }), "linux")).toEqual({
      kind: "held",
      keys: ["CommandOrControl", "Shift"],
    });
  });

  it("are refused where they are what people write with, or have no name", () => {
    expect(read(press("A", "KeyA", { shiftKey: true }), "linux").kind).toBe("bare");
    expect(read(press("F9", "F9"), "linux")).toMatchObject({ kind: "chord", keys: "F9" });
    expect(read(press("Compose", "Lang1", { ctrlKey: true }), "linux").kind).toBe("unknown");
  });
});
