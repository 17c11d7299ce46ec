/**
 * Keeps the end of a growing text in view, unless the reader has scrolled up to read; a button leads back. As long as
 * there is no text, what stands in its place is read from its beginning.
 */
export class Follower {
  #scroller;
  #content;
  #button;
  #following = true;
  #top = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} content what grows in it
   * @param {HTMLButtonElement} button shown while the end is not followed
   */
  constructor(scroller, content, button) {
    this.#scroller = scroller;
    this.#content = content;
    this.#button = button;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    // Sizes change before the frame is painted, so that the text never jumps.
    const observer = new ResizeObserver(() => (this.#following ? this.#jump() : this.#scrolled()));
    observer.observe(content);
    observer.observe(scroller);
  }

  /** Go to the end and follow it again. */
  toEnd() {
    this.#follow(true);
    if (this.#content.childElementCount) this.#jump();
    else this.#scroller.scrollTop = 0;
  }

  #scrolled() {
    if (!this.#content.childElementCount) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const below = scrollHeight - clientHeight - scrollTop;
    if (below < 24) this.#follow(true);
    else if (scrollTop < this.#top) this.#follow(false); // only a reader moves the text down
    this.#top = scrollTop;
  }

  /** @param {boolean} following */
  #follow(following) {
    this.#following = following;
    this.#button.hidden = following;
  }

  #jump() {
    if (!this.#content.childElementCount) return;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
