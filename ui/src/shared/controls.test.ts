// The shared controls by what a person can do with them: names, keys, states.

import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { createRawSnippet } from "svelte";
import { describe, expect, it, vi } from "vitest";
import type { ErrorCode } from "../bindings/bindings";
import Button from "./Button.svelte";
import ConfirmDialog from "./ConfirmDialog.svelte";
import FailureNote from "./FailureNote.svelte";
import Favicon from "./Favicon.svelte";
import IconButton from "./IconButton.svelte";
import Menu from "./Menu.svelte";
import Segmented from "./Segmented.svelte";
import Select from "./Select.svelte";
import Switch from "./Switch.svelte";
import { fakeWindow } from "./testing";
import TextField from "./TextField.svelte";

const text = (words: string) => createRawSnippet(() => ({ render: () => `<span>${words}</span>` }));

describe("Button", () => {
  it("takes no second press while it is busy", async () => {
    const onclick = vi.fn();
    const { rerender } = render(Button, { children: text("Save"), onclick, busy: true });
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(onclick).not.toHaveBeenCalled();
    await rerender({ busy: false });
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    expect(onclick).toHaveBeenCalledOnce();
  });
});

describe("IconButton", () => {
  it("has its label as name, and says whether it is down", () => {
    render(IconButton, { label: "Show sources", pressed: true, children: text("icon") });
    expect(screen.getByRole("button", { name: "Show sources", pressed: true })).toBeInTheDocument();
  });
});

describe("TextField", () => {
  it("ties what is wrong to the field", async () => {
    const { rerender } = render(TextField, { label: "Address", value: "", help: "With https." });
    const field = screen.getByRole("textbox", { name: "Address" });
    expect(field).toHaveAccessibleDescription("With https.");
    await rerender({ error: "Not an address." });
    expect(field).toBeInvalid();
    expect(field).toHaveAccessibleDescription("Not an address.");
  });
});

describe("Switch", () => {
  it("is turned by keyboard and tells", async () => {
    const onchange = vi.fn();
    render(Switch, { checked: false, label: "Private pages", onchange });
    screen.getByRole("switch", { name: "Private pages" }).focus();
    await userEvent.keyboard(" ");
    expect(onchange).toHaveBeenCalledWith(true);
    expect(screen.getByRole("switch")).toBeChecked();
  });
});

describe("Segmented", () => {
  it("is one stop for Tab, and arrows choose", async () => {
    const onchange = vi.fn();
    const options = ["light", "dark", "system"].map((value) => ({ value, label: value }));
    render(Segmented, { label: "Theme", value: "light", options, onchange });
    await userEvent.tab();
    expect(screen.getByRole("radio", { name: "light" })).toHaveFocus();
    await userEvent.keyboard("{ArrowRight}");
    expect(onchange).toHaveBeenLastCalledWith("dark");
    expect(screen.getByRole("radio", { name: "dark" })).toBeChecked();
  });
});

describe("Select", () => {
  it("opens by keyboard and takes the option that is typed", async () => {
    const onchange = vi.fn();
    const options = [
      { value: "en", label: "English" },
      { value: "de", label: "Deutsch" },
    ];
    render(Select, { label: "Language", value: "en", options, onchange });
    screen.getByRole("combobox", { name: "Language" }).focus();
    await userEvent.keyboard("{Enter}");
    await screen.findByText("Deutsch");
    await userEvent.keyboard("deu{Enter}");
    await waitFor(() => expect(onchange).toHaveBeenCalledWith("de"));
  });
});

describe("Menu", () => {
  it("does what is chosen, and nothing for what cannot be", async () => {
    const rename = vi.fn();
    const gone = vi.fn();
    const trigger = createRawSnippet<[Record<string, unknown>]>((props) => ({
      render: () => "<button>More</button>",
      setup: (element) => {
        for (const [key, value] of Object.entries(props())) {
          if (key.startsWith("on")) element.addEventListener(key.slice(2), value as EventListener);
          else if (typeof value === "string") element.setAttribute(key, value);
        }
      },
    }));
    const items = [{ label: "Rename", onselect: rename }, null, { label: "Delete", disabled: true, onselect: gone }];
    render(Menu, { label: "Chat", items, trigger });
    await userEvent.click(screen.getByRole("button", { name: "More" }));
    await userEvent.click(await screen.findByRole("menuitem", { name: "Delete" }), { pointerEventsCheck: 0 });
    expect(gone).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole("menuitem", { name: "Rename" }));
    expect(rename).toHaveBeenCalledOnce();
  });
});

describe("ConfirmDialog", () => {
  const props = { open: true, title: "Empty Trash?", says: "Three chats are lost.", confirm: "Empty Trash" };

  it("begins on the way back, so that Enter loses nothing", async () => {
    const onconfirm = vi.fn();
    render(ConfirmDialog, { ...props, onconfirm });
    const back = await screen.findByRole("button", { name: "Cancel" });
    await waitFor(() => expect(back).toHaveFocus());
    await userEvent.keyboard("{Enter}");
    expect(onconfirm).not.toHaveBeenCalled();
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  });

  it("does what its button says", async () => {
    const onconfirm = vi.fn();
    render(ConfirmDialog, { ...props, onconfirm });
    expect(await screen.findByRole("alertdialog", { name: "Empty Trash?" })).toHaveAccessibleDescription(
      "Three chats are lost.",
    );
    await userEvent.click(screen.getByRole("button", { name: "Empty Trash" }));
    expect(onconfirm).toHaveBeenCalledOnce();
  });
});

describe("FailureNote", () => {
  const note = (code: ErrorCode, part?: "search" | "model") => {
    const { app, context } = fakeWindow();
    const onretry = vi.fn();
    const failure = { code, message: "It failed.", hint: "Do this." };
    render(FailureNote, { props: { failure, onretry, ...(part ? { part } : {}) }, context });
    return { app, onretry };
  };

  it("says what happened and what to do", () => {
    note("invalid");
    expect(screen.getByRole("alert")).toHaveTextContent(/It failed\.\s*Do this\./);
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("offers another try where that mends it", async () => {
    const { onretry } = note("offline");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(onretry).toHaveBeenCalledOnce();
  });

  it.each([
    ["captcha", undefined, "Search settings", "search"],
    ["key_refused", "search", "Search settings", "search"],
    ["key_refused", "model", "Model settings", "models"],
    ["storage", undefined, "Data settings", "data"],
  ] as const)("leads from %s of %s to “%s”", async (code, part, label, section) => {
    const { app } = note(code, part);
    await userEvent.click(screen.getByRole("button", { name: label }));
    expect(app.view).toEqual({ kind: "settings", section });
  });
});

describe("Favicon", () => {
  it("shows the site's first letter where there is no icon", async () => {
    const { platform, context } = fakeWindow();
    vi.spyOn(platform, "favicon").mockResolvedValue(null);
    const { container } = render(Favicon, { props: { url: "https://www.zeit.example/a" }, context });
    expect(container).toHaveTextContent("Z");
  });

  it("shows the icon when it is there", async () => {
    const { platform, context } = fakeWindow();
    vi.spyOn(platform, "favicon").mockResolvedValue("data:image/png;base64,AA==");
    const { container } = render(Favicon, { props: { url: "https://icon.example/a" }, context });
    await waitFor(() => expect(container.querySelector("img")).toHaveAttribute("src", "data:image/png;base64,AA=="));
  });
});
