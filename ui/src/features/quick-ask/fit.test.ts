import { expect, it } from "vitest";
import { TALLEST, WindowFit } from "./fit";

const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

it("asks once a frame, for what is wanted last", async () => {
  const asked: number[] = [];
  const fit = new WindowFit(async (height) => void asked.push(height));
  fit.want(80, true);
  fit.want(100.2, true);
  fit.want(120, true);
  await frame();
  expect(asked).toEqual([120]);
  fit.want(120, true);
  await frame();
  expect(asked).toEqual([120]);
});

it("has one request under way at a time, and the newest follows it", async () => {
  const asked: number[] = [];
  let answer!: () => void;
  const fit = new WindowFit((height) => {
    asked.push(height);
    return new Promise((resolve) => (answer = resolve));
  });
  fit.want(100, true);
  await frame();
  fit.want(200, true);
  fit.want(300, true);
  await frame();
  expect(asked).toEqual([100]);
  answer();
  await frame();
  expect(asked).toEqual([100, 300]);
});

it("does not twitch while text streams, but follows when it has ended, or when all is new", async () => {
  const asked: number[] = [];
  const fit = new WindowFit(async (height) => void asked.push(height));
  for (const [height, growing] of [
    [300, true],
    [276, true],
    [276, false],
    [120, true],
  ] as const) {
    fit.want(height, growing);
    await frame();
  }
  expect(asked).toEqual([300, 276, 120]);
});

it("never asks for more than the window may have, and goes on after a refusal", async () => {
  const asked: number[] = [];
  const fit = new WindowFit((height) => {
    asked.push(height);
    return Promise.reject(new Error("no window"));
  });
  fit.want(5_000, false);
  await frame();
  fit.want(100, false);
  await frame();
  expect(asked).toEqual([TALLEST, 100]);
});

it("is silent when it has ended", async () => {
  const asked: number[] = [];
  const fit = new WindowFit(async (height) => void asked.push(height));
  fit.want(100, false);
  fit.end();
  fit.want(200, false);
  await frame();
  expect(asked).toEqual([]);
});
