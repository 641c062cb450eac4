"""Learning from many wars, each by itself: what a war tells of the shared parameters, as a normal law of them.

The shared parameters are jointly normal on their own scales. What war j tells of them, log p(y_j | theta) with its own
unknowns integrated out, is taken as quadratic: its site, -theta' L theta / 2 + h' theta. The product of the prior and
the sites of all wars is what is believed; without one site, the cavity, what is believed without that war. Each site is
measured where cavity times likelihood has its mass, by draws of one war alone, and this is repeated until the sites no
longer move (expectation propagation; Vehtari et al. 2020, JMLR 21, 17).

A site is not made from the moments of the draws, which would ask for the difference of two inverse covariances, but
from gradients: by Fisher's identity the gradient of log p(y_j, z | theta) by theta has, given theta, the mean
-L theta + h over the war's own unknowns z, so its regression on theta gives L and h. The gradient by z has mean zero
given theta, and what of the other gradient follows it is told apart (a control variate): where all is normal nothing is
left to chance.
"""
