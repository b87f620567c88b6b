import { expect, it, vi } from "vitest";
import { FakePlatform } from "../platform/fake";
import { faviconOf, hostOf } from "./favicons";

it("asks once for all pages of a site", async () => {
  const platform = new FakePlatform();
  const ask = vi.spyOn(platform, "favicon").mockResolvedValue("data:image/png;base64,AA==");
  await Promise.all([faviconOf(platform, "https://a.example/1"), faviconOf(platform, "https://www.a.example/2")]);
  expect(await faviconOf(platform, "https://a.example/3")).toBe("data:image/png;base64,AA==");
  expect(ask).toHaveBeenCalledTimes(1);
});

it("takes no icon that would be fetched by the window", async () => {
  const platform = new FakePlatform();
  vi.spyOn(platform, "favicon").mockResolvedValue("https://tracker.example/icon.png");
  expect(await faviconOf(platform, "https://b.example/")).toBeNull();
});

it("goes without an icon when it cannot be had", async () => {
  const platform = new FakePlatform();
  vi.spyOn(platform, "favicon").mockRejectedValue({ code: "offline", message: "", hint: null });
  expect(await faviconOf(platform, "https://c.example/")).toBeNull();
  expect(await faviconOf(platform, "not an address")).toBeNull();
});

it("names the host", () => {
  expect(hostOf("https://www.example.org:8080/a")).toBe("example.org:8080");
});
