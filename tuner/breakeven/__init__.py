"""Where a function is cheaper at a rate of requests, and from which rate on.

`work` parts a curve into waiting and CPU time; `traffic` says how many requests come and how
they are spread; `scenario` draws what nobody knows of the other platforms; `offers` lists the
tasks and instances of the price book that fit; `fleet` counts and prices them and finds
crossings; `bill` has the invoice formulas; `compare` puts them together and `judge` gives the
verdict.
"""
