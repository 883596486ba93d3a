"""What the tests with damaged files share."""

import pytest
from mutation import Child


@pytest.fixture(scope="session")
def child():
    with Child() as child:
        yield child


@pytest.fixture
def n_inputs(request):
    """Number of inputs that `--fuzz-inputs` asks for; by default those of the test, in its mark `inputs`."""
    return request.config.getoption("fuzz_inputs") or request.node.get_closest_marker("inputs").args[0]
