/** A gate that can be shut: who comes by awaits `passed`. */
export class Gate {
  passed = Promise.resolve();
  #open = () => {};

  shut() {
    this.open();
    this.passed = new Promise((resolve) => (this.#open = resolve));
  }

  open() {
    this.#open();
  }
}
