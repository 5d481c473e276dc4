"""What an application does with the Python package langfuse 2."""

import logging

from langfuse import Langfuse
from langfuse.media import LangfuseMedia

from everything import AWAY, PICTURE, call, failures, finish, until

# This one does not escape a slash in a path, and a blank in a query twice.
PROMPT, DATASET = "be kind", "a-set-of-items"

langfuse = Langfuse(flush_interval=0.2)


class Failures(logging.Handler):
    """The SDK says in its log alone that it lost something."""

    def emit(self, record):
        failures.append(record.getMessage())


def trace(n):
    traced = langfuse.trace(
        name=f"interop {n}",
        user_id="user-1",
        session_id="session-1",
        tags=["a tag"],
        metadata={"of": "interop"},
        input={"question": "why?"},
    )
    span = traced.span(name=f"agent {n}", input="in")
    span.generation(
        name=f"generation {n}",
        model="claude-sonnet-4-5",
        model_parameters={"temperature": 0.5},
        input=[{"role": "user", "content": "why?"}],
        output="because",
        usage_details={"input": 100, "output": 20},
    ).end()
    span.event(name=f"event {n}", level="WARNING")
    span.end(output="out")
    traced.update(output="done")
    langfuse.score(id=f"score-{n}", trace_id=traced.id, name="quality", value=0.5)
    langfuse.score(trace_id=traced.id, name=f"unnamed {n}", value="good")
    return traced


def prompts():
    langfuse.create_prompt(name=PROMPT, prompt="be {{how}}", labels=["production"])
    assert langfuse.get_prompt(PROMPT).compile(how="kind") == "be kind"
    langfuse.get_prompt(PROMPT, version=1)


def unknown_prompt():
    logging.disable()
    try:
        langfuse.get_prompt("interop/nowhere", max_retries=1)
    except Exception:
        return
    finally:
        logging.disable(logging.NOTSET)
    raise AssertionError("there is no such prompt")


def dataset(traced):
    langfuse.create_dataset(name=DATASET, description="for interop")
    langfuse.create_dataset_item(dataset_name=DATASET, id="item 1", input={"n": 1}, expected_output=2)
    items = langfuse.get_dataset(DATASET).items
    assert len(items) == 1
    items[0].link(traced, "a run")


def media():
    picture = LangfuseMedia(content_bytes=PICTURE, content_type="image/png")
    langfuse.trace(name="with media", input={"picture": picture})


def load(n):
    trace(n)
    langfuse.get_prompt(PROMPT, cache_ttl_seconds=0, max_retries=1)


logging.getLogger("langfuse").addHandler(Failures(logging.ERROR))
if AWAY:
    langfuse.create_prompt(name=PROMPT, prompt="be kind", labels=["production"])
    langfuse.get_prompt(PROMPT)
    until(AWAY, load)
else:
    call("auth check", langfuse.auth_check)
    call("prompt", prompts)
    call("unknown prompt", unknown_prompt)
    traced = call("trace and scores", lambda: trace(1))
    call("dataset", lambda: dataset(traced))
    call("media", media)
langfuse.flush()
langfuse.shutdown()
finish()
