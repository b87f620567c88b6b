// A start that comes as far as it is told to.

import type { Opening } from "../../bindings/bindings";
import type { OpeningPlatform } from "../opening";

export class FakeOpening implements OpeningPlatform {
  opening: Opening;
  /** What was pressed. */
  readonly pressed: string[] = [];
  #listener: ((opening: Opening) => void) | null = null;

  constructor(told: string | null) {
    this.opening = told ? (JSON.parse(told) as Opening) : { state: "under_way", step: "opening" };
  }

  tell(opening: Opening): void {
    this.#listener?.(opening);
  }

  onChanged(listener: (opening: Opening) => void): void {
    this.#listener = listener;
  }

  async openAgain(): Promise<void> {
    this.pressed.push("again");
    this.tell({ state: "under_way", step: "opening" });
  }

  async showDataFolder(): Promise<void> {
    this.pressed.push("folder");
    throw { code: "not_found", message: "The data folder is not there any more.", hint: null };
  }

  async quit(): Promise<void> {
    this.pressed.push("quit");
  }
}
