"""What an application does with the Python package langfuse since version 3."""

import logging

from langfuse import Langfuse, propagate_attributes

from everything import AWAY, DATASET, PICTURE, PROMPT, call, failures, finish, until

langfuse = Langfuse(flush_interval=0.2)


class Failures(logging.Handler):
    """The SDK and OpenTelemetry say in their logs alone that they lost something."""

    def emit(self, record):
        failures.append(record.getMessage())


def trace(n, question="why?"):
    with langfuse.start_as_current_observation(name=f"agent {n}", as_type="agent", input=question) as agent:
        with propagate_attributes(
            trace_name=f"interop {n}",
            user_id="user-1",
            session_id="session-1",
            tags=["a tag"],
            metadata={"of": "interop"},
        ):
            with langfuse.start_as_current_observation(name=f"tool {n}", as_type="tool", input="in") as tool:
                tool.start_observation(
                    name=f"generation {n}",
                    as_type="generation",
                    model="claude-sonnet-4-5",
                    model_parameters={"temperature": 0.5},
                    input=[{"role": "user", "content": "why?"}],
                    output="because",
                    usage_details={"input": 100, "output": 20},
                ).end()
                tool.update(output="out")
            agent.update(output="done")
        langfuse.create_score(score_id=f"score-{n}", trace_id=agent.trace_id, name="quality", value=0.5)
        langfuse.create_score(trace_id=agent.trace_id, name=f"unnamed {n}", value="good")


def prompts():
    langfuse.create_prompt(name=PROMPT, prompt="be {{how}}", labels=["production"])
    assert langfuse.get_prompt(PROMPT).compile(how="kind") == "be kind"
    langfuse.get_prompt(PROMPT, version=1)
    langfuse.get_prompt(PROMPT, label="latest")


def unknown_prompt():
    logging.disable()
    try:
        langfuse.get_prompt("interop/nowhere", max_retries=0)
    except Exception:
        return
    finally:
        logging.disable(logging.NOTSET)
    raise AssertionError("there is no such prompt")


def dataset():
    langfuse.create_dataset(name=DATASET, description="for interop")
    langfuse.create_dataset_item(dataset_name=DATASET, id="item 1", input={"n": 1}, expected_output=2)
    items = langfuse.get_dataset(DATASET)
    assert len(items.items) == 1
    result = items.run_experiment(name="a run", run_name="a run", task=lambda *, item, **rest: "2")
    assert result.item_results[0].output == "2"


def media():
    from base64 import b64encode

    trace(2, {"picture": "data:image/png;base64," + b64encode(PICTURE).decode()})


def load(n):
    trace(n)
    langfuse.get_prompt(PROMPT, cache_ttl_seconds=0, max_retries=0)


for name in ("langfuse", "opentelemetry"):
    logging.getLogger(name).addHandler(Failures(logging.ERROR))
if AWAY:
    langfuse.create_prompt(name=PROMPT, prompt="be kind", labels=["production"])
    langfuse.get_prompt(PROMPT)
    until(AWAY, load)
else:
    call("auth check", langfuse.auth_check)
    call("prompt", prompts)
    call("unknown prompt", unknown_prompt)
    call("trace and scores", lambda: trace(1))
    call("dataset", dataset)
    call("media", media)
langfuse.flush()
langfuse.shutdown()
finish()
