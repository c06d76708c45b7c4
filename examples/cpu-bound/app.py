"""One CPU-bound thread: counts primes by trial division."""

from math import isqrt


def handler(event, context):
    """Count the primes below `limit`; the work grows a little faster than the limit."""
    limit = event.get("limit", 70_000)
    return {"limit": limit, "primes": sum(map(is_prime, range(2, limit)))}


def is_prime(number):
    return all(number % divisor for divisor in range(2, isqrt(number) + 1))
