#pragma once

#include "fixtune/core/tensor.h"
#include "fixtune/quant/outlier_split.h"

/// What quantising leaves of a sample's information (the paper, section 4), measured on the sample itself.
namespace fixtune {

/// Count, mean and squared deviations of a sample, in double precision.
struct Moments {
  double count = 0.0;  ///< of values
  double mean = 0.0;  ///< of the values
  double squares = 0.0;  ///< sum of (x - mean)^2

  /// `V(X)` of the sample as a whole population; 0 where it is empty.
  double variance() const { return count > 0.0 ? squares / count : 0.0; }
  /// Takes the other sample in (Chan, Golub and LeVeque's update).
  void add(const Moments& other);
};

/// A law as the mixture of its inliers and outliers: \f$ f = p f_1 + (1-p) f_2 \f$ (Eq. 8).
///
/// The paper cuts at X <= gamma; the method cuts both tails, so here the cut is |X| <= gamma.
struct Mixture {
  Moments inliers;  ///< values up to gamma in magnitude
  Moments outliers;  ///< values above it

  Moments whole() const;  ///< Of both parts together.
  /// `p`: the inliers' share of the sample.
  double share() const;
  /// `p V_1(X) + (1-p) V_2(X)`, never above V(X) (Eq. 11).
  double variance_within() const;
  /// `p (1-p) (E_1(X) - E_2(X))^2`: what Eq. 11 leaves out. Within and between add up to V(X).
  double variance_between() const;
  void add(const Mixture& other);  ///< As if the other's values had been here too.
};

/// Splits the values of x at |x| <= gamma.
Mixture mixture_of(ConstMatrixMap x, float gamma);

/// The values of `values` split by where |x| <= gamma: a quantised x, or its rounding error, by the parts of x.
/// Throws Error when shapes disagree.
Mixture mixture_of(ConstMatrixMap values, ConstMatrixMap x, float gamma);

/// A sample X, its quantised form X^ = X + delta, and delta, each by the parts of X.
struct InformationLoss {
  Mixture original;  ///< of X
  Mixture quantised;  ///< of X^, parted as X is
  Mixture error;  ///< of X^ - X, parted as X is

  void add(const InformationLoss& other);  ///< As if the other's values had been here too.
};
/// Measures X against what quantising made of it, parted at gamma.
InformationLoss information_loss(ConstMatrixMap x, ConstMatrixMap quantised, float gamma);

/// \f$ \mathrm{sens}(\hat X)/\mathrm{sens}(X) = V(X)/V(\hat X) \f$ where
/// \f$ \mathrm{lev}(\hat X) = \mathrm{lev}(X) \f$ (Eq. 5, first equality); NaN where both are constant.
double sensitivity_ratio(const Moments& original, const Moments& quantised);

/// \f$ V(X)/(V(X)+V(\delta)) \f$: the same where delta is uncorrelated with X, as unbiased rounding makes it (Eq. 5,
/// second equality); NaN where both are constant.
double uncorrelated_sensitivity_ratio(const Moments& original, const Moments& error);

/// \f$ \mathrm{Cov}(X, \delta) / \sqrt{V(X) V(\delta)} \f$, from
/// \f$ V(\hat X) = V(X) + V(\delta) + 2\,\mathrm{Cov}(X, \delta) \f$; 0 where either is constant.
double error_correlation(const Moments& original, const Moments& quantised, const Moments& error);

/// \f$ (E_P(X) - E_Q(X))^2 / V_Q(X) \le \chi^2(P\Vert Q) \f$, the variance that of Q, against which the divergence is
/// taken (Hammersley, Chapman and Robbins; Eq. 6).
double chapman_robbins_bound(double shift, double variance_q);

/// Variance of the rounding error where it is spread evenly over a step: \f$ s^2/12 \f$ to nearest, \f$ s^2/6 \f$
/// stochastic.
double even_error_variance(double step, Rounding rounding);

/// The same averaged over the elements of an activation, by their steps.
double even_error_variance(const QuantizedActivation& q, Rounding rounding);

}  // namespace fixtune
