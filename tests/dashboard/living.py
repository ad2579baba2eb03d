"""What the tests of tab Live ask of its page."""

PATIENCE = 60_000  # ms, on a machine that has other things to do


def module(expression: str) -> str:
    """For `page.evaluate`: something that page/live/live.js exports, as "figures()"."""
    return f"async () => {{ const live = await import('/mer/static/live/live.js'); return live.{expression}; }}"


def wait_until(page, expression: str, timeout: int = PATIENCE) -> None:
    """Until it is so, as "figures().frames > 10"; `page.wait_for_function` does not wait for a promise."""
    page.evaluate(
        f"""async () => {{
            const live = await import('/mer/static/live/live.js'), end = performance.now() + {timeout};
            while (!(live.{expression})) {{
                if (performance.now() > end) throw new Error(`not within {timeout} ms: {expression}`);
                await new Promise((go) => setTimeout(go, 50));
            }}
        }}"""
    )
