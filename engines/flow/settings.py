"""The constants of our TV-L1 flow: the same for the CPU and the GPU.

What the model is stands as in OpenCV's DualTVL1OpticalFlow, whose defaults are those of Sánchez, Meinhardt-Llopis and
Facciolo (IPOL 2013). How much work goes into it was settled on synthetic faces of known movement (`mer-bench flow`):
less than OpenCV's defaults where more did not bring the flow nearer to the truth.
"""

# the model
LAMBDA = 0.15  # weight of the data term: smaller is smoother
THETA = 0.3  # tightness of the coupling between u, which is smooth, and v, which explains the pictures
TAU = 0.25  # time step of the dual: Chambolle's scheme converges up to 1/4

# the pyramid
SCALES = 5
SCALE_STEP = 0.8
SMALLEST = 16  # pixels: no scale is less high or wide, apart from the picture itself

# the work at each scale
WARPS = 3  # OpenCV: 5. The fourth and the fifth change the flow by less than camera noise does
ROUNDS = 2  # OpenCV: 10. Each begins with a median filter; only large or broken movements need more than one
ITERATIONS = 30  # of a round, at most
CHECK = 5  # iterations between two looks at the change: a divisor of ITERATIONS (OpenCV: 1)
EPSILON = 0.008  # pixels: a warp ends when an iteration changes the flow by less (root mean square). OpenCV: 0.01
MEDIAN = 3  # pixels a side of the median filter. OpenCV: 5, three times the work and no nearer to the truth

GRADIENT_FLOOR = 1.2e-7  # of |∇I|² as a divisor: single precision's epsilon, as in OpenCV
CUBIC = -0.75  # Keys' a of the bicubic warp, as in OpenCV


def levels(height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) of the scales of the pyramid, the finest first."""
    sizes = [(height, width)]
    while len(sizes) < SCALES:
        height, width = (round(side * SCALE_STEP) for side in (height, width))
        if min(height, width) < SMALLEST:
            break
        sizes.append((height, width))
    return sizes
