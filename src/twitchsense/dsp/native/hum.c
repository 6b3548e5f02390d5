/* The model of mains hum; the reference is twitchsense/dsp/hum_tracker.py. */
#include "kernels.h"

enum { MAX_HARMONICS = 16, N_SERIES = 12, SIDE = 32 };

/* Mirrored by `_HumState` in hum.py. */
typedef struct {
    /* constants */
    int64_t n, size, stop_blocks;  /* harmonics, samples of a block, blocks without hum */
    double abrupt, max_phase_sd, max_deviation_hz, amplitude_change, frequency_change;
    double significant, two_pi, block_s, grid_hz;
    double sine[N_SERIES], cosine[N_SERIES];
    double seconds_rad[MAX_HARMONICS], nominal_re[MAX_HARMONICS], nominal_im[MAX_HARMONICS];
    /* state */
    double re[MAX_HARMONICS], im[MAX_HARMONICS], variance[MAX_HARMONICS];
    double deviation_hz, deviation_var;
    int64_t quiet, predicted;  /* predicted: the model is a block ahead, its hum not yet made */
} hum;

EXPORT int64_t ts_hum_size(void) { return sizeof(hum); }

static double horner(const double *coefficients, double x) {
    double value = 0.0;
    for (int i = 0; i < N_SERIES; i++) value = value * x + coefficients[i];
    return value;
}

static double power(const hum *h, int64_t k) { return h->re[k] * h->re[k] + h->im[k] * h->im[k]; }

/* The part of HumTracker.predict before the synthesis */
static void advance(hum *h) {
    double angle = h->two_pi * h->deviation_hz * h->block_s, square = angle * angle;
    double c1 = horner(h->cosine, square), s1 = horner(h->sine, square) * angle;
    double c = c1, s = s1;
    for (int64_t k = 0; k < h->n; k++) {
        if (k > 0) {
            double next = c * c1 - s * s1;
            s = c * s1 + s * c1;
            c = next;
        }
        double turn_re = h->nominal_re[k] * c - h->nominal_im[k] * s;
        double turn_im = h->nominal_re[k] * s + h->nominal_im[k] * c;
        double re = h->re[k], im = h->im[k];
        h->re[k] = re * turn_re - im * turn_im;
        h->im[k] = re * turn_im + im * turn_re;
        h->variance[k] += h->amplitude_change * power(h, k);
    }
    h->deviation_var += h->frequency_change;
    h->predicted = 1;
}

/* table: cosines of all harmonics, then sines, each a row of h->size values. Samples side by side
 * stay in registers while the rows are added in their order.
 */
WIDE static void synthesize(const hum *h, const double *restrict table, double *restrict out) {
    int64_t n = 2 * h->n, size = h->size, i = 0;
    double factor[2 * MAX_HARMONICS];
    for (int64_t k = 0; k < n; k++) factor[k] = k < h->n ? h->re[k] : -h->im[k - h->n];
    for (; i + SIDE <= size; i += SIDE) {
        double sum[SIDE];
        for (int j = 0; j < SIDE; j++) sum[j] = factor[0] * table[i + j];
        for (int64_t k = 1; k < n; k++)
            for (int j = 0; j < SIDE; j++) sum[j] += factor[k] * table[k * size + i + j];
        for (int j = 0; j < SIDE; j++) out[i + j] = sum[j];
    }
    for (; i < size; i++) {
        out[i] = factor[0] * table[i];
        for (int64_t k = 1; k < n; k++) out[i] += factor[k] * table[k * size + i];
    }
}

/* HumTracker._correct_frequency */
static void correct_frequency(hum *h, const double *off_re, const double *off_im,
                              const double *noise, const int *abrupt) {
    double sd = sqrt(h->deviation_var), total = 0.0, hz = 0.0;
    int any = 0;
    for (int64_t k = 0; k < h->n; k++) {
        double p = power(h, k), rad = h->seconds_rad[k], weight = 0.0;
        if (!(p > 1e-12)) p = 1e-12;
        if (rad * sd < h->max_phase_sd && !abrupt[k] && p > 4 * noise[k]) {
            double variance = (noise[k] + h->variance[k]) / (2 * p);
            weight = rad * rad / (variance > 1e-6 ? variance : 1e-6);
            any = 1;
        }
        double error = (off_im[k] * h->re[k] - off_re[k] * h->im[k]) / p;
        double part = weight * error / rad;
        total = k == 0 ? weight : total + weight;
        hz = k == 0 ? part : hz + part;
    }
    if (!any) return;
    double gain = h->deviation_var / (h->deviation_var + 1 / total);
    double deviation = h->deviation_hz + gain * (hz / total);
    if (deviation < -h->max_deviation_hz) deviation = -h->max_deviation_hz;
    if (deviation > h->max_deviation_hz) deviation = h->max_deviation_hz;
    h->deviation_hz = deviation;
    h->deviation_var *= 1 - gain;
}

/* HumTracker._correct */
static void correct(hum *h, const double *re, const double *im, const double *noise) {
    double off_re[MAX_HARMONICS], off_im[MAX_HARMONICS], variance[MAX_HARMONICS];
    int abrupt[MAX_HARMONICS];
    for (int64_t k = 0; k < h->n; k++) {
        off_re[k] = re[k] - h->re[k];
        off_im[k] = im[k] - h->im[k];
        double size = off_re[k] * off_re[k] + off_im[k] * off_im[k], rest = size - noise[k];
        abrupt[k] = size > h->abrupt * (h->variance[k] + noise[k]);
        variance[k] = abrupt[k] && rest > h->variance[k] ? rest : h->variance[k];
    }
    correct_frequency(h, off_re, off_im, noise, abrupt);
    for (int64_t k = 0; k < h->n; k++) {
        double gain = variance[k] / (variance[k] + noise[k]);
        h->re[k] += gain * off_re[k];
        h->im[k] += gain * off_im[k];
        h->variance[k] = (1 - gain) * variance[k];
    }
}

static int significant(const hum *h) {
    double total = power(h, 0), variance = h->variance[0];
    for (int64_t k = 1; k < h->n; k++) {
        total += power(h, k);
        variance += h->variance[k];
    }
    return total > h->significant * variance;
}

/* The table for the frequency of the next block, as a multiple of the grid. */
EXPORT int64_t ts_hum_step(const hum *h) { return (int64_t)rint(h->deviation_hz / h->grid_hz); }

/* HumTracker.follow, from block `first` on.
 *
 * re, im, noise: n_blocks rows of h->n. tables[step + n_steps]: the table of that step, or NULL.
 * out: n_blocks rows of h->size. Returns the number of blocks finished; fewer than n_blocks if the
 * hum has ended (*present is 0; the last row is zero) or if the table of ts_hum_step is missing.
 * A model that is already advanced (`predicted`) is not corrected with the first block.
 */
EXPORT int64_t ts_hum_follow(
    hum *h, const double *re, const double *im, const double *noise, int64_t first,
    int64_t n_blocks, const double *const *tables, int64_t n_steps, double *out, int64_t *present
) {
    *present = 1;
    for (int64_t k = first; k < n_blocks; k++) {
        double *row = out + k * h->size;
        if (!h->predicted) {
            correct(h, re + k * h->n, im + k * h->n, noise + k * h->n);
            h->quiet = significant(h) ? 0 : h->quiet + 1;
            if (h->quiet >= h->stop_blocks) {
                memset(row, 0, (size_t)h->size * sizeof(double));
                *present = 0;
                return k + 1;
            }
            advance(h);
        }
        int64_t step = ts_hum_step(h) + n_steps;
        if (step < 0 || step > 2 * n_steps || !tables[step]) return k;
        synthesize(h, tables[step], row);
        h->predicted = 0;
    }
    return n_blocks;
}

/* HumTracker.predict without the synthesis, for the first block of a model */
EXPORT void ts_hum_advance(hum *h) { advance(h); }
