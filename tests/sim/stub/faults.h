/* Injected faults: GPUSIM_FAULTS="FUNCTION[@GPU]=KIND[:VALUE];...". See tests/sim/README.md for the grammar. */
#ifndef GPUSIM_FAULTS_H
#define GPUSIM_FAULTS_H

#define ANY_GPU (-1)

/* Called first by every exported function. Does what is asked for (hang, crash, sleep ...); returns the error code to
 * answer with, or 0 to go on. A function about two GPUs passes both, any other one passes ANY_GPU as the second. */
int fault(const char *function, int gpu, int other_gpu);

#endif
