"""The one provider, asked with OpenAI's client over aiohttp."""

from functools import lru_cache

from openai import AsyncOpenAI, DefaultAioHttpClient

from app.settings import settings


class NoProvider(Exception):
    pass


@lru_cache
def client() -> AsyncOpenAI:
    given = settings()
    if given.provider_url is None:
        raise NoProvider
    return AsyncOpenAI(
        base_url=given.provider_url,
        api_key=given.provider_api_key,
        http_client=DefaultAioHttpClient(),
    )


async def answer(instructions: str, words: str) -> tuple[str, int]:
    """The provider's answer, and the tokens it counted."""
    completion = await client().chat.completions.create(
        model=settings().provider_model,
        messages=[{"role": "system", "content": instructions}, {"role": "user", "content": words}],
    )
    usage = completion.usage
    return completion.choices[0].message.content or "", usage.total_tokens if usage else 0
