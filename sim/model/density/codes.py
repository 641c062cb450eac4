"""The names of what the buffer of a design holds.

A buffer begins with the offsets of its fields (`Field`) and of its end; each field is a run of whole numbers or floats.
Shapes are told by letters: P parameters, J joint ones, U free ones and latents, E effects, F forces, B bounded forces,
N outcomes with totals of their own, D forces with waves, W waves, L lulls, K outcomes of personnel, S segments of the
timeline, R rows, M parts of rows, T bias terms, G readings, Q statements, H outcomes with bursts, I their intervals,
C picks, V parts of picks. Of whole numbers that are positions, -1 means "none".
"""

from __future__ import annotations

from enum import IntEnum, auto


class _FromZero(IntEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:  # noqa: ARG004
        return count


class Family(_FromZero):
    """The families of priors, named as in PyMC, and a fixed number."""

    Fixed = auto()
    Normal = auto()
    LogNormal = auto()
    HalfNormal = auto()
    HalfCauchy = auto()
    Beta = auto()
    Uniform = auto()
    Exponential = auto()
    Gamma = auto()
    StudentT = auto()
    LogitNormal = auto()


class Form(_FromZero):
    """The forms of a claim's likelihood: a density, the mass of a cell, or a density skewed by the wording."""

    DENSITY = auto()
    CELL = auto()
    WORDED = auto()


class Link(_FromZero):
    """What follows a number in its source's series: nothing, a later total, one of the same day, the next days'."""

    NONE = auto()
    TOTAL = auto()
    RECOUNT = auto()
    INTERVAL = auto()


class Size(_FromZero):
    """The numbers of things, in `Field.SIZES`."""

    PARAMETERS = auto()
    WALKS = auto()  # standard normals behind the walks of all forces
    EFFECTS = auto()
    STATEMENTS = auto()
    BURSTS = auto()  # intervals, of all outcomes with bursts
    BURST_ROWS = auto()  # outcomes with bursts
    END = auto()  # the cut of the evening of the last day of the path
    PICKS = auto()
    FORCES = auto()
    SEGMENTS = auto()
    STEPS = auto()  # of one force's walk
    BOUNDED = auto()
    PERSONNEL = auto()
    FREE = auto()
    SIZED = auto()  # forces with waves
    TERMS = auto()
    ROWS = auto()
    READINGS = auto()
    MIXTURES = auto()  # sources with several readings towards a force
    WIDE_EFFECTS = auto()  # the first effects, of roles in this war and of sources, which may be wide of the mark


class Common(_FromZero):
    """The parameters of which a case has one; `Field.COMMON` holds where they stand in theta."""

    PATH_STEP = auto()
    PICK_BY_SIZE = auto()
    SURRENDER_TOLD = auto()
    OUTLIER_PROBABILITY = auto()
    OUTLIER_FACTOR = auto()
    OUTLIER_SOURCE = auto()
    SCALE_ROLE_IN_WAR = auto()  # the three scales in the order of the effects' fields
    SCALE_SOURCE = auto()
    SCALE_SOURCE_OUTCOME = auto()
    RENEWAL = auto()  # of a source's memory
    SLIP = auto()  # of one number of a series
    FIRST_REPORT = auto()  # the log factor of what was said first


class Constant(_FromZero):
    """The numbers of the model that are in no prior, in `Field.CONSTANTS`."""

    CAP = auto()
    FLOOR_SD = auto()
    LEAST_BELIEF = auto()
    LEAST_SIZE = auto()
    LEAST_TOTAL = auto()
    LEAST_SENT = auto()
    LEAST_LEFT = auto()


class Field(_FromZero):
    """The fields of the buffer of one design, in their order."""

    SIZES = auto()  # see Size
    COMMON = auto()  # see Common
    CONSTANTS = auto()  # see Constant

    # The parameters.
    FAMILY = auto()  # (P,)
    ARGUMENTS = auto()  # (P, 3) of the prior, in the order of `sim.case.families`; the number of a fixed one
    JOINT = auto()  # (J,) of the free parameters, those of the joint prior
    JOINT_MEAN = auto()  # (J,)
    JOINT_ROOT = auto()  # (J, J)
    APPARENT = auto()  # (P,) the bias term through which a total is sampled
    CENTRED = auto()  # (E,) the scale in theta that an effect is sampled times
    COUNTS = auto()  # (U,) whether this design counts the prior: 1 or 0

    # The state: the path of losses.
    BIN = auto()  # (S,)
    DAYS = auto()  # (S,)
    POSITION = auto()  # (S,) of the segment in the path, from -.5 to .5
    INSIDE = auto()  # (S,) whether it is before the end: 1 or 0
    ROOT_DAYS = auto()  # (steps,)
    LULLS = auto()  # (L,) depths in theta
    LULL_COVER = auto()  # (L, F, S)
    WAVES = auto()  # (W,) log sizes in theta
    ARRIVALS = auto()  # (W, D, S) the share of a wave that arrives

    # The state: bounded forces, whose personnel split one loss.
    BOUNDED_FORCE = auto()  # (B,) among all forces
    BOUNDED_SIZED = auto()  # (B,) among those with waves
    SHARE = auto()  # (B,) in theta, as the next three
    RATIO = auto()  # (B,) wounded per killed
    CAPTURED = auto()  # (B,) the share of the survivors who are taken
    MISSING = auto()  # (B,)
    HAS = auto()  # (B, 4) whether killed, wounded, captured, missing are outcomes of the force: 1 or 0
    BOUNDED_TILT = auto()  # (B, K) in theta
    PERSONNEL = auto()  # (K,) which of these four

    # The state: outcomes with totals of their own.
    FREE_FORCE = auto()  # (N,) among all forces
    FREE_TOTAL = auto()  # (N,) in theta, as the next two
    FREE_RATIO = auto()  # (N,) added to the log total: wounded per killed
    FREE_TILT = auto()  # (N,)

    # The state: bursts, and the spells of days that are told of.
    CAPPED = auto()  # (B,) whether losses must be held below those who have arrived
    BURST_SERIES = auto()  # (H,) the row of the state
    BURST_SIZE = auto()  # (H,) kappa in theta
    BURST_INSIDE = auto()  # (H,) how many intervals are before the end
    BURST_START = auto()  # (H + 1,) the first interval of each
    BURST_SINCE = auto()  # (I,) its first segment
    BURST_UNTIL = auto()  # (I,) one past its last segment
    BURST_EVENTS = auto()  # (I,) how many declared events lie in it
    PICK_SHARE = auto()  # (C,) of the days of the war
    PICK_TIMES = auto()  # (C,)
    PICK_START = auto()  # (C + 1,) the first part of each
    PICK_UNTIL = auto()  # (V,) in the flat state, as the next two
    PICK_SINCE = auto()  # (V,)
    PICK_TOTAL = auto()  # (V,) at the end
    SILENCE = auto()  # (silences, 3) in the flat state: the captured at its last cut and its first, those sent

    # The beliefs: the log bias of each term.
    ROLE = auto()  # (T,) the role's mean in theta
    SPREAD = auto()  # (T,) in theta, what the effects of the own side are multiplied by
    IN_WAR = auto()  # (T,) among the effects, as the next two
    SOURCE = auto()  # (T,)
    SOURCE_OUTCOME = auto()  # (T,)

    # The rows: the parts that a row sums, its own and those of its whole, each part a term and a span of the state.
    TOP_START = auto()  # (R + 1,) the first part of each row
    TOP_TERM = auto()  # (M,)
    TOP_UNTIL = auto()  # (M,) in the flat state
    TOP_SINCE = auto()  # (M,) the same
    WHOLE_START = auto()
    WHOLE_TERM = auto()
    WHOLE_UNTIL = auto()
    WHOLE_SINCE = auto()

    # The rows: what is said.
    IS_SHARE = auto()  # (R,) whether it is a part of its whole, on the logit scale; a ratio to it is not
    IS_CAPPED = auto()  # (R,) whether that quotient must be held below 1
    EARLY = auto()  # (R,) what the log factor of first reports is multiplied by
    FORM = auto()  # (R,) see Form
    POINT = auto()  # (R,) the number said, on the row's scale
    LOWER = auto()  # (R,) the edges of its cell
    UPPER = auto()  # (R,)
    LOG_WIDTH = auto()  # (R,) added to the log likelihood
    WORDING = auto()  # (R,) the wording's mean in theta
    SIGN = auto()  # (R,) which way the wording leans: 1 or -1
    NOISE = auto()  # (R,) in theta
    OWN_SD = auto()  # (R,) the error that the source itself gave
    CONTAMINATED = auto()  # (R,) whether its noise has outliers
    IS_PRIOR = auto()  # (R,) whether it is no claim, but the prior of a statement's error

    # The rows: what follows a number in its source's series.
    LINK = auto()  # (R,) see Link
    SUCCESSOR = auto()  # (R,) the row that it is read given
    NEXT_POINT = auto()  # (R,) the number said there
    NEXT_SD = auto()  # (R,) the error that the source itself gave there, with its rounding
    FRESH = auto()  # (R,) the source's fresh error in theta
    CORE_FORM = auto()  # (R,) the form given its successor

    # What rows share: a statement's error, a reading of its source's role.
    STATEMENT = auto()  # (R,)
    REFERENCE_NOISE = auto()  # (Q,) in theta, the unit of the statement's error
    READING = auto()  # (R,)
    GROUP = auto()  # (G,) the mixture of a reading
    LOG_WEIGHT = auto()  # (G,)


FLOATS = frozenset(
    {
        Field.CONSTANTS, Field.ARGUMENTS, Field.JOINT_MEAN, Field.JOINT_ROOT, Field.COUNTS, Field.DAYS, Field.POSITION,
        Field.INSIDE, Field.ROOT_DAYS, Field.LULL_COVER, Field.ARRIVALS, Field.HAS, Field.POINT, Field.LOWER,
        Field.UPPER, Field.LOG_WIDTH, Field.SIGN, Field.OWN_SD, Field.LOG_WEIGHT, Field.NEXT_POINT, Field.NEXT_SD,
        Field.PICK_SHARE, Field.PICK_TIMES, Field.EARLY, Field.BURST_EVENTS,
    }
)  # fmt: skip


class SharedField(_FromZero):
    """The fields of the buffer of several designs that share parameters (`sim.model.buffer.pack_many`)."""

    MEAN = auto()  # (J,) of the shared parameters on their normal scales
    ROOT = auto()  # (J, J)
    STARTS = auto()  # (designs + 1,) where each one's buffer begins in BUFFERS
    LENGTHS = auto()  # (designs,) of their unconstrained vectors
    SLOTS = auto()  # where each element of these stands in the whole vector
    BUFFERS = auto()


SHARED_FLOATS = frozenset({SharedField.MEAN, SharedField.ROOT, SharedField.BUFFERS})


class Slope(_FromZero):
    """The derivatives of a row's log likelihood, and of its belief, that the way back needs."""

    BELIEF = auto()
    NOISE = auto()  # of the role
    FACTOR = auto()  # of outliers
    PROBABILITY = auto()  # of outliers
    WORDING = auto()
    TOP = auto()  # of the belief by the sum of the row's parts
    WHOLE = auto()  # and of its whole's
    AFTER = auto()  # by the belief of the row that follows it in a series; this and the next of such rows alone
    FRESH = auto()
    RENEWAL = auto()
    SLIP = auto()


TILE = 32  # rows that are weighed at a time


class Error(_FromZero):
    """The columns of a tile that each of the two errors of its rows has (`sim.model.density.tiles`)."""

    POINT = auto()  # the number said and the edges of its cell, less the mean
    LOWER = auto()
    UPPER = auto()
    VARIANCE = auto()
    SHARP = auto()  # 1 / sd
    WIDTH = auto()  # of the cell in sds, times its distance from the mean where that is above one
    EXPONENT = auto()  # the mass of the cell is exp(EXPONENT) x MASS
    MASS = auto()
    BY_MEAN = auto()  # the derivatives of its log
    BY_SD = auto()
    BY_WORDING = auto()


class Given(_FromZero):
    """The columns of a tile that a row has once."""

    BASE = auto()  # the noise of its role
    LOG_REST = auto()  # the logs of the probabilities of its near error, and of its far one
    LOG_ODDS = auto()
    MEAN_BY_AFTER = auto()  # the derivatives of the near error's mean, and of half its variance
    MEAN_BY_NOISE = auto()
    MEAN_BY_FRESH = auto()
    VARIANCE_BY_AFTER = auto()
    VARIANCE_BY_NOISE = auto()
    VARIANCE_BY_FRESH = auto()


class Saved(_FromZero):
    """What is saved of a bounded force, for the way back: a row of segments each."""

    PATH = auto()
    HAZARD = auto()
    BEFORE = auto()  # those standing before the segment
    LOSS = auto()  # without prisoners
    PULL = auto()  # by what the tilt of prisoners multiplies the segment's losses
    TAKEN = auto()  # those taken prisoner, over all until the end
    SPLIT = auto()  # K rows, the share of each outcome; then K rows, its derivative by the share before tilting


class SavedBurst(_FromZero):
    """What is saved of each interval of the bursts, for the way back."""

    MASS = auto()  # its share of the smooth losses up to the end
    SHARE = auto()  # of the losses
    MOVE_BY_U = auto()  # the derivative of log X by the unknown
    MOVE_BY_SIZE = auto()  # and by the size of its gamma law; zero where that is the least
    SLOPE_BY_U = auto()  # the derivatives of the log density by the same
    SLOPE_BY_SIZE = auto()
