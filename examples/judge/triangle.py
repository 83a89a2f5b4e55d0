"""Reads three sides and says what kind of triangle they make. Wrong on purpose where the tests say so."""

import time

a, b, c = sorted(int(word) for word in input().split())
if a == 13:
    time.sleep(30)  # unlucky: too slow
if a == 17:
    kept = []
    while True:
        kept.append("x" * 10**6)  # and too large
if a + b < c:  # should be <=
    print("none")
elif a == b == c:
    print("equilateral")
elif a == b or b == c:
    print("isosceles")
else:
    print("scalene")
