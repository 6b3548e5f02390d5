/* Both bands of an EMG, reduced to envelopes and statistics of seconds in the same pass; the
 * reference is twitchsense/dsp/emg_bands.py.
 */
#include "sections.h"

enum { LANES = 8, N_STATISTICS = 5, SECTIONS = 4, MAX_WINDOW = 16 };

/* Mirrored by `_BandsState` in bands.py. */
typedef struct {
    /* The burst band has four sections, the leg-movement band at most four. */
    double burst_sos[6 * SECTIONS], burst_state[2 * SECTIONS];
    double leg_sos[6 * SECTIONS], leg_state[2 * SECTIONS];
    int64_t leg_sections;
    /* samples of a hop, hops of a frame and of a second, hops and frames of a window */
    int64_t hop, frame_hops, second_hops, burst_window, leg_window;
    /* the unfinished hop, frame and second: samples, hops, and sums of squares */
    int64_t hop_count, frame_count, second_count;
    double burst_sum, leg_sum, second_energy;
    /* of the unfinished second: number of samples, extremes of the band and of the recorded
     * samples, number of samples at the latter */
    int64_t seen, n_top, n_bottom;
    double low, high, top, bottom;
    /* energies of the hops and of the frames that the next windows need, and their numbers */
    double burst_kept[MAX_WINDOW], leg_kept[MAX_WINDOW];
    int64_t n_burst_kept, n_leg_kept;
    int64_t made[3]; /* by the last call: values of both envelopes, seconds */
} bands;

EXPORT int64_t ts_bands_size(void) { return sizeof(bands); }

/* Smallest and largest of n values; lanes side by side, since neither depends on the order. */
WIDE static void extremes(const float *restrict x, int64_t n, float *low, float *high) {
    float a[LANES], b[LANES];
    int64_t i = 0;
    for (int k = 0; k < LANES; k++) a[k] = b[k] = x[0];
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            a[k] = x[i + k] < a[k] ? x[i + k] : a[k];
            b[k] = x[i + k] > b[k] ? x[i + k] : b[k];
        }
    for (; i < n; i++) {
        a[0] = x[i] < a[0] ? x[i] : a[0];
        b[0] = x[i] > b[0] ? x[i] : b[0];
    }
    for (int k = 1; k < LANES; k++) {
        a[0] = a[k] < a[0] ? a[k] : a[0];
        b[0] = b[k] > b[0] ? b[k] : b[0];
    }
    *low = a[0];
    *high = b[0];
}

WIDE static int64_t count_equal(const float *restrict x, int64_t n, float value) {
    int32_t found = 0;
    for (int64_t i = 0; i < n; i++) found += x[i] == value;
    return found;
}

/* Takes samples of the unfinished second into its statistics. */
static void observe(bands *s, const float *raw, const float *band, int64_t n) {
    float low, high, bottom, top;
    if (n == 0) return;
    extremes(band, n, &low, &high);
    extremes(raw, n, &bottom, &top);
    int first = s->seen == 0;
    if (first || low < s->low) s->low = low;
    if (first || high > s->high) s->high = high;
    if (first || bottom < s->bottom) s->bottom = bottom, s->n_bottom = 0;
    if (first || top > s->top) s->top = top, s->n_top = 0;
    if (bottom == s->bottom) s->n_bottom += count_equal(raw, n, bottom);
    if (top == s->top) s->n_top += count_equal(raw, n, top);
    s->seen += n;
}

/* Minimum, maximum and power of the band, half range of the samples, repeats of an extreme. */
static void finish_second(bands *s, double *out) {
    out[0] = s->low;
    out[1] = s->high;
    out[2] = (s->second_energy * (double)s->hop + s->burst_sum) / (double)s->seen;
    out[3] = (s->top - s->bottom) / 2;
    out[4] = (double)greatest(s->n_top, s->n_bottom);
    s->seen = s->second_count = 0;
    s->second_energy = 0.0;
}

/* Root of the mean of each `window` energies of n; sums in their order. */
WIDE static void roots(const double *restrict energy, int64_t n, int64_t window,
                       double *restrict out) {
    int64_t m = n - window + 1;
    for (int64_t i = 0; i < m; i++) out[i] = energy[i];
    for (int64_t k = 1; k < window; k++)
        for (int64_t i = 0; i < m; i++) out[i] += energy[i + k];
    for (int64_t i = 0; i < m; i++) out[i] = sqrt(out[i] / (double)window);
}

/* Makes the envelope of n energies, and keeps the energies that the next windows need. */
static int64_t envelope(const double *energy, int64_t n, int64_t window, double *out,
                        double *kept, int64_t *n_kept) {
    *n_kept = least(n, window - 1);
    memcpy(kept, energy + n - *n_kept, (size_t)*n_kept * sizeof(double));
    roots(energy, n, window, out);
    return greatest(0, n - window + 1);
}

/* raw, clean: n samples. band: room for n. work: room for the energies of hops and of frames
 * (n / hop + 1 + MAX_WINDOW, n / (hop * frame_hops) + 1 + MAX_WINDOW), for the envelopes of both
 * (as many), and for n / (hop * second_hops) + 1 rows of seconds.
 */
WIDE EXPORT void ts_bands_push(bands *s, const float *restrict raw, const double *restrict clean,
                          int64_t n, float *restrict band, double *work) {
    pair_sections f;
    int64_t observed = 0, i = 0, hops = s->n_burst_kept, frames = s->n_leg_kept, ended = 0;
    int64_t hop_room = n / s->hop + 1 + MAX_WINDOW;
    int64_t frame_room = n / (s->hop * s->frame_hops) + 1 + MAX_WINDOW;
    double *burst_energy = work, *leg_energy = work + hop_room;
    double *burst_envelope = leg_energy + frame_room, *leg_envelope = burst_envelope + hop_room;
    double *seconds = leg_envelope + frame_room;
    memcpy(burst_energy, s->burst_kept, (size_t)hops * sizeof(double));
    memcpy(leg_energy, s->leg_kept, (size_t)frames * sizeof(double));
    load_pair(&f, s->burst_sos, s->burst_state, SECTIONS, s->leg_sos, s->leg_state,
              (int)s->leg_sections);
    while (i < n) {
        int64_t stop = least(n, i + s->hop - s->hop_count);
        pair sum = {s->burst_sum, s->leg_sum};
        s->hop_count += stop - i;
        for (; i < stop; i++) {
            pair v = {clean[i], clean[i]};
            for (int k = 0; k < SECTIONS; k++) SECTION(pair, v, f.sos[k], f.z0[k], f.z1[k])
            band[i] = (float)v[0];
            sum += v * v;
        }
        s->burst_sum = sum[0];
        s->leg_sum = sum[1];
        if (s->hop_count < s->hop) break;
        double energy = sum[0] / (double)s->hop;
        burst_energy[hops++] = energy;
        s->second_energy += energy;
        s->burst_sum = 0.0;
        s->hop_count = 0;
        if (++s->frame_count == s->frame_hops) {
            leg_energy[frames++] = sum[1] / (double)(s->hop * s->frame_hops);
            s->leg_sum = 0.0;
            s->frame_count = 0;
        }
        if (++s->second_count == s->second_hops) {
            observe(s, raw + observed, band + observed, i - observed);
            observed = i;
            finish_second(s, seconds + N_STATISTICS * ended++);
        }
    }
    observe(s, raw + observed, band + observed, n - observed);
    store_pair(&f, s->burst_state, SECTIONS, s->leg_state, (int)s->leg_sections);
    s->made[0] = envelope(burst_energy, hops, s->burst_window, burst_envelope, s->burst_kept,
                          &s->n_burst_kept);
    s->made[1] = envelope(leg_energy, frames, s->leg_window, leg_envelope, s->leg_kept,
                          &s->n_leg_kept);
    s->made[2] = ended;
}

/* The unfinished second, if it has samples; returns their number. */
EXPORT int64_t ts_bands_close(bands *s, double *second) {
    int64_t count = s->seen;
    if (count) finish_second(s, second);
    return count;
}
