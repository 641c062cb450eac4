"""The log posterior density of a case and its gradient, by hand, compiled once for all cases.

PyMC's model (`sim.model.pymc_model.build_model`) is the definition; a test holds this one equal to it, density and
gradient, at random points of every kind of case. What differs between cases is data: `sim.model.buffer` puts a design
into one buffer of eight-byte slots, whole numbers and floats alike. So no case needs a compilation of its own, and the
machine code is kept on disk.

    codes    the names of all that the buffer holds, and of what its codes mean
    access   how the buffer is read, and functions compiled
    terms    what one claim says of one belief
    priors   the parameters and latents: their links and their densities
    paths    the steps of the state, each forward and backward: rates, hazards, shares of outcomes
    state    the losses and arrivals of all forces, from the parameters and the walk
    bursts   how the losses of single days lie about the path, and which days are told
    memory   the rows that are read given the next one of their source's series
    tiles    the rows weighed, a tile of them at a time
    rows     all rows of the likelihood, from the state
    kernel   all of it together, as `compile_density` gives it to the sampler

Each function runs one step of the model forward; the one named `back_` and the same runs it backward. Names that start
with `d_` are derivatives of the log density with respect to the rest of the name. The files take nothing from outside
this folder but `sim.system.code_cache`, because the machine code is renewed when one of them changes, and not when
others do.
"""
