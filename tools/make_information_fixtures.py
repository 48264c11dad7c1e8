#!/usr/bin/env python3
"""Writes what numpy and scipy make of the statistics of section 4: moments, mixtures, divergences, as JSON.

    python3 tools/make_information_fixtures.py tests/fixtures/information.json

Needs numpy and scipy. A divergence is the integral of (p/q - 1)^2 q (Eq. 7), by quadrature.
"""
import json
import sys

import numpy as np
from scipy import integrate, stats

DIGITS = 9  # enough to give an FP32 value back exactly


def heavy_tailed(generator, rows, cols):
    x = generator.normal(0.3, 1.0, (rows, cols))
    x[generator.random((rows, cols)) < 0.04] *= 25.0
    return x.astype(np.float32)


def moments(values):
    return dict(count=int(values.size), mean=float(values.mean()) if values.size else 0.0,
                variance=float(values.var()) if values.size else 0.0)


def mixture(values, x, gamma):
    inside = np.abs(x) <= gamma
    share = float(inside.mean())
    parts = [values[inside], values[~inside]]
    within = sum(w * (p.var() if p.size else 0.0) for w, p in zip((share, 1 - share), parts))
    return dict(whole=moments(values), inliers=moments(parts[0]), outliers=moments(parts[1]), share=share,
                within=float(within), between=float(values.var() - within))


def sample(generator, gamma, step):
    x = heavy_tailed(generator, 13, 37)
    quantised = (np.rint(x.astype(np.float64) / step) * step).astype(np.float32)
    error = (quantised - x).astype(np.float32)
    wide = [a.astype(np.float64) for a in (x, quantised, error)]
    variances = [a.var() for a in wide]
    return dict(gamma=gamma, x=rows(x), quantised=rows(quantised),
                original=mixture(wide[0], wide[0], gamma), rounded=mixture(wide[1], wide[0], gamma),
                error=mixture(wide[2], wide[0], gamma), sensitivity=variances[0] / variances[1],
                uncorrelated_sensitivity=variances[0] / (variances[0] + variances[2]),
                correlation=float(np.corrcoef(wide[0].ravel(), wide[2].ravel())[0, 1]))


def rows(x):
    return [[float(f"{v:.{DIGITS}g}") for v in row] for row in x.tolist()]


def divergence(p, q):
    """chi^2(P||Q), on an interval past which both are below 1e-30."""
    low, high = min(p.ppf(1e-30), q.ppf(1e-30)), max(p.isf(1e-30), q.isf(1e-30))
    value, _ = integrate.quad(lambda x: (np.expm1(p.logpdf(x) - q.logpdf(x))) ** 2 * q.pdf(x), low, high,
                              limit=500, points=[p.mean(), q.mean()])
    return float(value)


def laws():
    pairs = [(family(loc=shift, scale=scale), family(loc=0.0, scale=1.0), name)
             for name, family in (("norm", stats.norm), ("laplace", stats.laplace), ("logistic", stats.logistic))
             for shift, scale in ((0.01, 1.0), (0.1, 1.0), (0.5, 0.5), (0.3, 1.2))]
    return [dict(law=name, shift=float(p.mean() - q.mean()), variance_p=float(p.var()), variance_q=float(q.var()),
                 divergence=divergence(p, q)) for p, q, name in pairs]


def even_errors():
    """Variance of rounding a value that lies anywhere within a step with equal chance."""
    return [dict(step=s, nearest=float(stats.uniform(-s / 2, s).var()),
                 stochastic=float(integrate.quad(lambda f: s * s * f * (1 - f), 0, 1)[0])) for s in (0.25, 1.0, 3.0)]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    generator = np.random.default_rng(20240212)
    document = dict(samples=[sample(generator, 5.0, 0.5), sample(generator, 5.0, 4.0), sample(generator, 1e9, 0.01)],
                    laws=laws(), even_errors=even_errors())
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump(document, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
