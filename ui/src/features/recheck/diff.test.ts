import { describe, expect, it } from "vitest";
import { differences, type Piece } from "./diff";

const shown = (pieces: Piece[]) => pieces.map(({ text, changed }) => (changed ? `<${text}>` : text)).join("");

function between(before: string, now: string, language = "en") {
  const found = differences(before, now, language);
  return [shown(found.before), shown(found.now)];
}

describe("what differs between two sentences", () => {
  it("is marked word by word", () => {
    expect(between("The tower is 41 metres high.", "The tower is 38 metres high.")).toEqual([
      "The tower is <41> metres high.",
      "The tower is <38> metres high.",
    ]);
  });

  it("is one mark where words in a row differ", () => {
    expect(between("Three keepers live at the tower today.", "Nobody else lives at the tower today.")).toEqual([
      "<Three keepers live> at the tower today.",
      "<Nobody else lives> at the tower today.",
    ]);
  });

  it("is found where words are not apart", () => {
    const [before, now] = between("塔の高さは41メートルです。", "塔の高さは38メートルです。", "ja");
    expect([before, now]).toEqual(["塔の高さは<41>メートルです。", "塔の高さは<38>メートルです。"]);
  });

  it("is not marked where the two have little in common, or are the same, or are long", () => {
    expect(between("It is high.", "Nobody knows who built the thing.")).toEqual([
      "It is high.",
      "Nobody knows who built the thing.",
    ]);
    expect(between("It is high.", "It is high.")).toEqual(["It is high.", "It is high."]);
    const long = "word ".repeat(200);
    expect(between(`${long}a`, `${long}b`)).toEqual([`${long}a`, `${long}b`]);
  });
});
