"""StyleGAN2 with the parameter names of StyleGAN2-ADA, so that official networks load: float32 on any device.

Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN" (arXiv 1912.04958), and Karras et al. 2020,
"Training generative adversarial networks with limited data" (arXiv 2006.06676). Written anew; what differs:

- a style multiplies the maps before a convolution and the demodulation after it, which is the same sum as a convolution
  with weights of its own for every image, without making those weights;
- the filter is always [1, 3, 3, 1], which is its own transpose, so its gradient is the filter again;
- there are no blocks in half precision: networks that were trained with some are run in float32.
"""

from robustshape.generators.stylegan2.discriminator import Discriminator
from robustshape.generators.stylegan2.files import read_network, write_network
from robustshape.generators.stylegan2.generator import Generator

__all__ = ["Discriminator", "Generator", "read_network", "write_network"]
