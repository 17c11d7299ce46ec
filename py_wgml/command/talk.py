"""`py_wgml chat` and `py_wgml run`: a model answers in the terminal."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import py_wgml

from ..errors import WgmlError
from ..reference import address_of, repository_of
from .rooms import default_model, room
from .terminal import BOLD, DIM, PLAIN, coloured, harmless, say

_HELP = """\
/system TEXT   tell the model something first, and begin anew
/clear         begin anew
/retry         have the last question answered again
/save FILE     write the conversation as JSON
/help          this
/quit          leave, as Ctrl-D does
A line that ends with \\ goes on in the next. Ctrl-C stops an answer."""
_SAMPLING = ("temperature", "top_p", "top_k", "seed", "max_tokens")


def run(args: argparse.Namespace) -> None:
    """Answer one prompt."""
    name, prompt = _words(args.words)
    if not sys.stdin.isatty():
        piped = sys.stdin.read()
        prompt = f"{prompt}\n\n{piped}" if prompt and piped.strip() else prompt or piped
    if not prompt.strip():
        raise room("errors").Stop("run: there is no prompt; type it behind the model, or pipe it in", 2)
    form = _form(args)
    messages = [{"role": "system", "content": args.system}] if args.system is not None else []
    with _loaded(name, args) as model:
        answer = model.generate([*messages, {"role": "user", "content": prompt}], **form, **_options(args))
        _write(answer)
        if args.stats:
            say(_stats(answer))


def chat(args: argparse.Namespace) -> None:
    """Talk to a model until Ctrl-D."""
    with suppress(ImportError):
        import readline  # noqa: F401  what is typed can be edited, and comes again

    with _loaded(args.model, args) as model:
        talk = model.chat(args.system)
        if sys.stdin.isatty():
            say(f"{model.name}: {model.context:,} tokens of context. /help tells what can be typed.")
        while (line := _line()) is not None:
            word, _, rest = line.partition(" ")
            if word in ("/quit", "/exit"):
                return
            if word == "/clear":
                talk = model.chat(args.system)
            elif word == "/system":
                args.system = rest.strip() or None
                talk = model.chat(args.system)
            elif word == "/save":
                _save(rest.strip(), talk.messages)
            elif word == "/retry":
                _retry(model, talk, args)
            elif word == "/help" or (word.startswith("/") and word[1:].isalpha()):
                say(_HELP if word == "/help" else f"there is no {word}\n{_HELP}")
            elif line.strip():
                talk.messages.append({"role": "user", "content": line})
                _answer(model, talk, args)


def local_path(name: str) -> Path:
    """Where the file that `name` means lies, fetched if need be."""
    return Path(room("models").given_model(name).path)


def _words(words: list[str]) -> tuple[str | None, str]:
    """The model, and the prompt: of one word, whatever it looks like."""
    if len(words) > 2:
        raise room("errors").Stop("run: a model and a prompt, no more; put the prompt in quotes", 2)
    if len(words) == 1 and not _is_model(words[0]):
        return None, words[0]
    return (words[0], words[1] if len(words) == 2 else "") if words else (None, "")


def _is_model(word: str) -> bool:
    named = bool(address_of(word) or repository_of(word)) or word.lower().endswith(".gguf")
    return not any(map(str.isspace, word)) and (named or os.path.isfile(word))


@contextmanager
def _loaded(name: str | None, args: argparse.Namespace) -> Iterator[Any]:
    with py_wgml.load(name or default_model(), context=args.context, cache_bits=args.cache_bits) as model:
        yield model


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """How an answer is made; what is not given is the model's own."""
    options = {name: getattr(args, name) for name in _SAMPLING if getattr(args, name) is not None}
    return options if args.think is None else {**options, "chat_template_kwargs": {"enable_thinking": args.think}}


def _form(args: argparse.Namespace) -> dict[str, Any]:
    if args.json_schema:
        try:
            return {"schema": json.loads(args.json_schema.read_bytes())}
        except ValueError as error:
            raise WgmlError(f"{args.json_schema} is no JSON: {error}") from None
    if args.grammar:
        return {"grammar": args.grammar.read_text(encoding="utf-8")}
    return {"regex": args.regex} if args.regex else {"choices": args.choice} if args.choice else {}


def _answer(model: Any, talk: Any, args: argparse.Namespace) -> None:
    """The answer to what was said; one that is stopped, or fails, leaves what there is of it."""
    answer = None
    try:
        answer = model.generate(talk.messages, drop_oldest=True, **_options(args))
        _write(answer)
    except KeyboardInterrupt:
        print()
        say("(stopped)")
    except WgmlError as error:
        say(f"py_wgml: {error}")
    if answer is None or not (answer.text or answer.reasoning):
        talk.messages.pop()
        return
    thought = {"reasoning_content": answer.reasoning} if answer.reasoning else {}
    talk.messages.append({"role": "assistant", "content": answer.text, **thought})
    if answer.dropped:
        say(f"({answer.dropped} of the oldest messages were left out: the context is full)")


def _retry(model: Any, talk: Any, args: argparse.Namespace) -> None:
    if not talk.messages or talk.messages[-1]["role"] != "assistant":
        say("there is no answer yet")
        return
    talk.messages.pop()
    _answer(model, talk, args)


def _write(answer: Any) -> None:
    """An answer as it comes; on a terminal what is thought too, dimmed."""
    thinking = False
    for part in answer.parts():
        if part.reasoning and coloured(sys.stdout):
            print(f"{'' if thinking else DIM}{_seen(part.reasoning)}", end="", flush=True)
            thinking = True
        if part.text:
            print(f"{PLAIN}\n" * thinking + _seen(part.text), end="", flush=True)
            thinking = False
    print(PLAIN if thinking else "", flush=True)


def _seen(text: str) -> str:
    """A model's text as it may be shown; a pipe gets it as it is."""
    return harmless(text) if sys.stdout.isatty() else text


def _line() -> str | None:
    """What is typed next, in all its lines; None at the end."""
    typed = sys.stdin.isatty()
    mark = (f"\001{BOLD}\002> \001{PLAIN}\002" if coloured(sys.stdout) else "> ") if typed else ""
    lines: list[str] = []
    while True:
        try:
            lines.append(input(mark if not lines else "  " * typed))
        except EOFError:
            if typed:
                print()
            return "\n".join(lines) or None
        except KeyboardInterrupt:
            print()
            lines = []
            continue
        if not lines[-1].endswith("\\"):
            return "\n".join(lines)
        lines[-1] = lines[-1][:-1]


def _save(path: str, messages: list[Any]) -> None:
    try:
        Path(path or "chat.json").write_text(
            json.dumps(messages, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    except OSError as error:
        say(f"{path}: {error.strerror}")
    else:
        say(f"written to {path or 'chat.json'}")


def _stats(answer: Any) -> str:
    used = answer.usage
    prompt = f"{used.prompt_tokens} tokens of prompt in {used.first_token:.2f} s"
    return f"{prompt}, {used.completion_tokens} of the answer at {used.decode_rate:.1f} a second"
