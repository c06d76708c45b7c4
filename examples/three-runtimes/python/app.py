"""Counts primes by trial division: plain arithmetic in one thread, and nothing else."""


def handler(event, context):
    limit = event.get("limit", 20_000)
    return {"limit": limit, "primes": sum(map(is_prime, range(2, limit)))}


def is_prime(number):
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return True
