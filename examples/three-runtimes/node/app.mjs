// Counts primes by trial division: plain arithmetic in one thread, and nothing else.
export const handler = async ({ limit = 20_000 }) => {
  let primes = 0;
  for (let number = 2; number < limit; number++) if (isPrime(number)) primes++;
  return { limit, primes };
};

function isPrime(number) {
  for (let divisor = 2; divisor * divisor <= number; divisor++) {
    if (number % divisor === 0) return false;
  }
  return true;
}
