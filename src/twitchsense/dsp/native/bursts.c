/* Measurement of bursts; the reference is measure_row of twitchsense/detect/burst_measures.py. */
#include "kernels.h"

enum { PAD = 25, TAPS = 21, POINTS = 64, BANDS = 2, SPECTRUM = 4, LINES = 2, ROW = 26 };

/* Mirrored in bursts.py. Lengths in samples. */
typedef struct {
    int64_t width, wide, level, flank, lobe, half, beside, step, up, fine, bins, spectrum_bins;
    int64_t spectrum_half, spectrum_length, mains_width;
    int64_t band[BANDS][2], spectrum[SPECTRUM][2];
    double fs, edge_share, close_k, edge_sd, risen_share, frequency, per_point, taper_energy;
    double waveform_energy, noise_share[BANDS], mains_least, mains_period[LINES];
    const double *sos, *steady, *taper, *cosine, *sine, *spectrum_taper, *spectrum_cosine;
    const double *spectrum_sine, *taps, *offsets, *waveform_taper;
} limits;

EXPORT int64_t ts_burst_size(void) { return (int64_t)sizeof(limits); }

int64_t ts_filter(const double *x, int64_t n, int64_t width, const double *sos, int64_t count,
                  double *state, double *y);

static double largest(double a, double b) { return a > b ? a : b; }
static double smallest(double a, double b) { return a < b ? a : b; }

static double peak_to_peak(const double *x, int64_t n) {
    double low = x[0], high = x[0];
    for (int64_t i = 1; i < n; i++) {
        low = smallest(low, x[i]);
        high = largest(high, x[i]);
    }
    return high - low;
}

static double square_sum(const double *x, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

static double largest_size(const double *x, int64_t n) {
    double size = 0.0;
    for (int64_t i = 0; i < n; i++) size = largest(size, fabs(x[i]));
    return size;
}

static double largest_change(const double *x, int64_t n, int64_t step) {
    double change = 0.0;
    for (int64_t i = step; i < n; i++) change = largest(change, fabs(x[i] - x[i - step]));
    return change;
}

static int64_t place_of_largest(const double *x, int64_t n) {
    int64_t place = 0;
    for (int64_t i = 1; i < n; i++)
        if (fabs(x[i]) > fabs(x[place])) place = i;
    return place;
}

static double median(const double *x, int64_t n, double *sorted) {
    for (int64_t i = 0; i < n; i++) {
        int64_t k = i;
        for (; k > 0 && sorted[k - 1] > x[i]; k--) sorted[k] = sorted[k - 1];
        sorted[k] = x[i];
    }
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/* Burst band without phase shift. `longer` and `other` have room for n + 2 * PAD. */
static void zero_phase(const double *x, int64_t n, const limits *l, double *longer, double *other,
                       double *band) {
    int64_t m = n + 2 * PAD;
    double state[4];
    for (int64_t i = 0; i < PAD; i++) {
        longer[i] = 2 * x[0] - x[PAD - i];
        longer[PAD + n + i] = 2 * x[n - 1] - x[n - 2 - i];
    }
    memcpy(longer + PAD, x, (size_t)n * sizeof(double));
    for (int k = 0; k < 4; k++) state[k] = l->steady[k] * longer[0];
    ts_filter(longer, m, 1, l->sos, 2, state, other);
    for (int64_t i = 0; i < m; i++) longer[i] = other[m - 1 - i];
    for (int k = 0; k < 4; k++) state[k] = l->steady[k] * longer[0];
    ts_filter(longer, m, 1, l->sos, 2, state, other);
    for (int64_t i = 0; i < n; i++) band[i] = other[m - 1 - PAD - i];
}

typedef struct { int64_t begin, end, risen; double top; } edges;

/* 0 if the run is too short. `power` has room for n + 1 values. */
static int find_edges(const double *band, int64_t n, int64_t start, int64_t stop, double centre,
                      double spread, const limits *l, double *power, edges *e) {
    int64_t width = l->width, half = width / 2;
    int64_t first = greatest(0, start - width), last = least(n, stop + width);
    int64_t values = last - first + 1 - width; /* of the envelope */
    if (values < 1) return 0;
    power[0] = 0.0;
    for (int64_t i = first; i < last; i++)
        power[i - first + 1] = power[i - first] + band[i] * band[i];
    double *envelope = power; /* value i needs none before it */
    double top = 0.0;
    for (int64_t i = 0; i < values; i++) {
        envelope[i] = sqrt(largest(power[i + width] - power[i], 0.0) / (double)width);
        top = largest(top, envelope[i]);
    }
    double limit = largest(centre + l->close_k * spread, l->edge_share * top);
    int64_t a = 0, b = values - 1, risen = 0;
    while (a < values && !(envelope[a] > limit)) a++;
    if (a == values) {
        for (a = 0, b = 1; b < values; b++)
            if (envelope[b] > envelope[a]) a = b;
        b = a;
    }
    while (b > a && !(envelope[b] > limit)) b--;
    while (risen < values - 1 && !(envelope[risen] >= l->risen_share * top)) risen++;
    e->begin = first + a + half;
    e->end = first + b + half + 1;
    e->risen = first + risen + half;
    e->top = top;
    double peak = largest_size(band + e->begin, least(n, e->end) - e->begin);
    limit = largest(l->edge_share * peak, l->edge_sd * centre);
    int64_t rise = greatest(0, e->begin - half), rise_stop = least(n, e->begin + width);
    int64_t fall_start = greatest(0, e->end - width), fall = least(n, e->end + half) - 1;
    while (rise < rise_stop && !(fabs(band[rise]) > limit)) rise++;
    while (fall >= fall_start && !(fabs(band[fall]) > limit)) fall--;
    if (rise < rise_stop) e->begin = rise;
    if (fall >= fall_start) e->end = fall + 1;
    e->end = greatest(e->end, e->begin + 1);
    e->risen = greatest(e->risen, e->begin);
    return 1;
}

/* Width of a peak at half height, ms; -1 of a flat signal. */
static double width_ms(const double *x, int64_t n, int64_t peak, double fs) {
    double sign = x[peak] > 0 ? 1.0 : -1.0, top = largest(fabs(x[peak]), 1e-9), total = 0.0;
    for (int64_t step = 1; step >= -1; step -= 2) {
        int64_t length = step > 0 ? n - peak : peak + 1, k = 0;
        double before = 0.0, value = 0.0;
        for (; k < length; k++) {
            value = sign * x[peak + step * k] / top;
            if (value < 0.5) break;
            before = value;
        }
        if (k == 0) return -1.0;
        if (k == length) total += (double)length;
        else total += (double)(k - 1) + (before - 0.5) / largest(before - value, 1e-9);
    }
    return largest(total / fs * 1000, 0.1);
}

/* Energy off the line through the levels at both ends. */
static double power_off_line(const double *x, int64_t n, int64_t level) {
    double left = 0.0, right = 0.0, sum = 0.0;
    for (int64_t i = 0; i < level; i++) left += x[i];
    for (int64_t i = n - level; i < n; i++) right += x[i];
    left /= (double)level;
    right /= (double)level;
    double begin = (double)level / 2, end = (double)n - (double)level / 2;
    double slope = (right - left) / (end - begin);
    for (int64_t i = 0; i < n; i++) {
        double at = (double)i, line = slope * (at - begin) + left;
        if (at <= begin) line = left;
        else if (at >= end) line = right;
        sum += (x[i] - line) * (x[i] - line);
    }
    return sum;
}

static double low_frequency_share(const double *clean, const double *band, int64_t n,
                                  const edges *e, int64_t level) {
    int64_t first = greatest(0, e->begin - 2 * level), last = least(n, e->end + 2 * level);
    if (last - first < 4 * level) return 0.0;
    double fast = square_sum(band + first, last - first);
    double slow = power_off_line(clean + first, last - first, level) - fast;
    int64_t before = greatest(0, 2 * first - last);
    if (first - before >= 4 * level) {
        double usual = power_off_line(clean + before, first - before, level)
                       - square_sum(band + before, first - before);
        double ratio = (double)(last - first) / (double)(first - before);
        slow -= 2 * largest(usual, 0.0) * (ratio * ratio);
    }
    slow = largest(slow, 0.0);
    return slow + fast > 0 ? slow / (slow + fast) : 0.0;
}

static double net_area(const double *clean, int64_t n, const edges *e, const limits *l,
                       double *sorted) {
    int64_t first = greatest(0, e->begin - l->flank), last = least(n, e->end + 2 * l->flank);
    int64_t before = greatest(0, first - l->level), after = least(n, last + l->level);
    int64_t m = last - first;
    if (before == first || after == last) return 0.0;
    double left = median(clean + before, first - before, sorted);
    double right = median(clean + last, after - last, sorted);
    double step = m > 1 ? (right - left) / (double)(m - 1) : 0.0, whole = 0.0, net = 0.0;
    for (int64_t i = 0; i < m; i++) {
        double line = m > 1 && i == m - 1 ? right : (double)i * step + left;
        double x = clean[first + i] - line;
        whole += fabs(x);
        net += x;
    }
    return whole > 0 ? fabs(net) / whole : 0.0;
}

static double main_lobe_ms(const double *clean, int64_t n, int64_t peak, const limits *l,
                           double *sorted, double *x) {
    int64_t first = greatest(0, peak - l->level), last = least(n, peak + l->level + 1);
    double middle = median(clean + first, last - first, sorted);
    for (int64_t i = first; i < last; i++) x[i - first] = clean[i] - middle;
    int64_t start = greatest(0, peak - l->lobe - first);
    int64_t stop = least(last - first, peak + l->lobe + 1 - first);
    return width_ms(x, last - first, start + place_of_largest(x + start, stop - start), l->fs);
}

/* Power at each frequency; the tables have a row for each sample. */
WIDE static void power_spectrum(const double *restrict x, int64_t n, const double *restrict cosine,
                                const double *restrict sine, int64_t bins, double *restrict real,
                                double *restrict power) {
    for (int64_t k = 0; k < bins; k++) {
        real[k] = cosine[k] * x[0];
        power[k] = sine[k] * x[0];
    }
    for (int64_t t = 1; t < n; t++) {
        const double *c = cosine + t * bins, *s = sine + t * bins;
        for (int64_t k = 0; k < bins; k++) {
            real[k] += c[k] * x[t];
            power[k] += s[k] * x[t];
        }
    }
    for (int64_t k = 0; k < bins; k++) power[k] = real[k] * real[k] + power[k] * power[k];
}

/* Shares of the power above 200 Hz, with the noise subtracted. */
static void band_shares(const double *x, const limits *l, double noise_uv, double *tapered,
                        double *real, double *power, double *shares) {
    for (int b = 0; b < BANDS; b++) shares[b] = 0.0;
    if (!l->fine) return;
    int64_t n = 2 * l->half;
    for (int64_t i = 0; i < n; i++) tapered[i] = x[i] * l->taper[i];
    power_spectrum(tapered, n, l->cosine, l->sine, l->bins, real, power);
    double total = 0.0, noise = noise_uv * noise_uv * l->taper_energy;
    for (int64_t k = 0; k < l->bins; k++) {
        power[k] *= l->per_point;
        total += power[k];
    }
    double signal = largest(largest(total - noise, 0.2 * total), 1e-9);
    for (int b = 0; b < BANDS; b++) {
        double sum = 0.0;
        for (int64_t k = l->band[b][0]; k < l->band[b][1]; k++) sum += power[k];
        shares[b] = smallest(largest((sum - noise * l->noise_share[b]) / signal, 0.0), 1.0);
    }
}

/* Shares of the power near the peak before the filter, and the steepest edge there. */
static void spectrum(const double *x, const limits *l, double *tapered, double *real,
                     double *power, double *shares, double *slope) {
    int64_t n = 2 * l->spectrum_half;
    double mean = 0.0;
    for (int64_t i = 0; i < n; i++) mean += x[i];
    mean /= (double)n;
    *slope = largest_change(x, n, 1) / largest(peak_to_peak(x, n), 1e-9);
    for (int64_t i = 0; i < n; i++) tapered[i] = (x[i] - mean) * l->spectrum_taper[i];
    power_spectrum(tapered, l->spectrum_length, l->spectrum_cosine, l->spectrum_sine,
                   l->spectrum_bins, real, power);
    double *total = real;
    total[0] = 0.0;
    for (int64_t k = 0; k < l->spectrum_bins; k++) total[k + 1] = total[k] + power[k];
    for (int b = 0; b < SPECTRUM; b++) {
        const int64_t *bin = l->spectrum[b];
        shares[b] = bin[0] < 0 ? NAN
                               : (total[bin[1]] - total[bin[0]])
                                     / largest(total[l->spectrum_bins], 1e-12) + 1e-4;
    }
}

/* Values between the samples: one phase of the interpolation. */
WIDE static void interpolate(const double *restrict padded, int64_t n, const double *restrict taps,
                             double *restrict out) {
    for (int64_t i = 0; i < n; i++) out[i] = padded[i] * taps[0];
    for (int64_t k = 1; k < TAPS; k++)
        for (int64_t i = 0; i < n; i++) out[i] += padded[i + k] * taps[k];
}

static double fine_peak_to_peak(const double *x, int64_t n, const limits *l, double *padded,
                                double *out) {
    if (l->up == 1 || n < 2) return peak_to_peak(x, n);
    memset(padded, 0, (TAPS / 2) * sizeof(double));
    memcpy(padded + TAPS / 2, x, (size_t)n * sizeof(double));
    memset(padded + TAPS / 2 + n, 0, (TAPS / 2) * sizeof(double));
    double low = INFINITY, high = -INFINITY;
    for (int64_t phase = 0; phase < l->up; phase++) {
        interpolate(padded, n, l->taps + phase * TAPS, out);
        for (int64_t i = 0; i < n; i++) {
            low = smallest(low, out[i]);
            high = largest(high, out[i]);
        }
    }
    return high - low;
}

static double mean_frequency_hz(const double *x, int64_t n, double frequency) {
    double change = 0.0;
    for (int64_t i = 1; i < n; i++) change += (x[i] - x[i - 1]) * (x[i] - x[i - 1]);
    change = n > 1 ? change / (double)(n - 1) : 0.0;
    double power = square_sum(x, n) / (double)n;
    return largest(frequency * sqrt(change / largest(power, 1e-12)), 1.0);
}

static void waveform(const double *band, int64_t n, int64_t peak, double noise_uv, const limits *l,
                     float *out) {
    double shape[POINTS], energy = 0.0, last = (double)(n - 1);
    for (int i = 0; i < POINTS; i++) {
        double at = (double)peak + l->offsets[i], value = 0.0;
        if (!(at < 0 || at > last)) {
            int64_t low = least((int64_t)floor(at), greatest(n - 2, 0));
            double left = band[low], right = band[least(low + 1, n - 1)];
            value = at == last ? band[n - 1] : (right - left) * (at - (double)low) + left;
        }
        shape[i] = value * l->waveform_taper[i];
        energy += shape[i] * shape[i];
    }
    double own = largest(energy - noise_uv * noise_uv * l->waveform_energy, 0.25 * energy);
    double scale = own > 0 ? sqrt(own) : 1.0;
    for (int i = 0; i < POINTS; i++) out[i] = (float)(shape[i] / scale);
}

/* Smaller of the correlations one and two periods later. */
static double repetition(const double *x, int64_t n, double period) {
    double out = 1.0;
    for (double shift = period; shift <= 2 * period; shift += period) {
        int64_t whole = (int64_t)shift, m = n - (int64_t)ceil(shift);
        double share = shift - (double)whole, own = 0.0, other = 0.0, common = 0.0;
        for (int64_t i = 0; i < m; i++) {
            double later = x[i + whole];
            if (share > 0) later += (x[i + whole + 1] - later) * share;
            own += x[i] * x[i];
            other += later * later;
            common += x[i] * later;
        }
        double both = own * other;
        out = smallest(both > 0 ? common / sqrt(both) : 0.0, out);
    }
    return out;
}

/* Share of the power that repeats with the period of the mains: the median over windows. */
static double mains_share(const double *x, int64_t n, const limits *l, double *shares,
                          double *sorted) {
    if ((double)n < l->mains_least) return 0.0;
    int64_t windows = greatest(1, n / l->mains_width), width = least(n, l->mains_width);
    for (int64_t k = 0; k < windows; k++) {
        shares[k] = repetition(x + k * width, width, l->mains_period[0]);
        for (int i = 1; i < LINES; i++)
            shares[k] = largest(repetition(x + k * width, width, l->mains_period[i]), shares[k]);
    }
    return largest(median(shares, windows, sorted), 0.0);
}

/* Measure k bursts, whose samples stand one behind the other: n[i] of burst i, at least 30; its
 * run is inside[2 * i] to inside[2 * i + 1], its floor and spread are floors[2 * i] and the next.
 * Sets regular[i] to 0 for a burst that is left to the reference: one whose peak lies at an end
 * of its samples, or that is flat. `scratch` has room for 4 * (most samples + 64 + bins).
 */
EXPORT void ts_measure_bursts(const double *clean, const int64_t *n, int64_t k,
                              const int64_t *inside, const double *floors, const limits *l,
                              double *band, double *rows, float *waveforms, uint8_t *regular,
                              double *scratch, int64_t room) {
    double *a = scratch, *b = a + room, *c = b + room, *d = c + room;
    int64_t half = l->half, margin = half / 3;
    for (int64_t i = 0; i < k; clean += n[i], band += n[i], i++) {
        double centre = floors[2 * i], *row = rows + ROW * i, shares[BANDS];
        edges e;
        regular[i] = 0;
        zero_phase(clean, n[i], l, a, b, band);
        if (!find_edges(band, n[i], inside[2 * i], inside[2 * i + 1], centre, floors[2 * i + 1], l,
                        a, &e))
            continue;
        int64_t end = least(e.end, n[i]);
        int64_t peak = e.begin + place_of_largest(band + e.begin, end - e.begin);
        int64_t reach = greatest(half, l->spectrum_half);
        if (peak < reach || peak + reach > n[i]) continue;
        const double *x = band + peak - half, *y = clean + peak - half;
        row[0] = width_ms(x, 2 * half, half, l->fs);
        row[6] = main_lobe_ms(clean, n[i], peak, l, a, b);
        if (row[0] < 0 || row[6] < 0) continue;
        int64_t first = greatest(0, e.begin - margin), last = least(n[i], e.end + margin);
        double high = band[first], low = -band[first], power = 0.0, fourth = 0.0;
        for (int64_t s = first; s < last; s++) {
            double square = band[s] * band[s];
            high = largest(high, band[s]);
            low = largest(low, -band[s]);
            power += square;
            fourth += square * square;
        }
        power /= (double)(last - first);
        fourth /= (double)(last - first);
        row[1] = largest(0.0, smallest(high, low)) / largest(largest(high, low), 1e-9) + 0.02;
        row[19] = low_frequency_share(clean, band, n[i], &e, l->level);
        row[2] = row[19] + 0.02;
        row[3] = largest(power > 0 ? fourth / (power * power) : 3.0, 1.0);
        band_shares(x, l, centre, a, b, c, shares);
        row[4] = shares[0] + 0.01;
        row[5] = shares[1] + 0.01;
        spectrum(clean + peak - l->spectrum_half, l, a, b, c, row + 8, row + 17);
        double amplitude = largest(peak_to_peak(y, 2 * half), 1e-9);
        double top = largest(fabs(band[peak]), 1e-9);
        row[12] = largest_change(y, 2 * half, l->step) / amplitude;
        row[13] = largest_change(y, 2 * half, 2 * l->step) / amplitude;
        row[14] = largest_size(x, greatest(1, half - l->beside)) / top;
        int64_t after = least(2 * half - 1, half + l->beside);
        row[15] = largest_size(x + after, 2 * half - after) / top;
        row[16] = net_area(clean, n[i], &e, l, a);
        first = greatest(0, e.begin - l->wide);
        last = least(n[i], e.end + l->wide);
        row[7] = mean_frequency_hz(band + first, last - first, l->frequency);
        row[18] = fine_peak_to_peak(band + first, last - first, l, a, d);
        row[20] = e.top;
        row[21] = (double)e.begin;
        row[22] = (double)e.end;
        row[23] = (double)e.risen;
        row[24] = (double)peak;
        row[25] = mains_share(band + e.begin, end - e.begin, l, a, b);
        waveform(band, n[i], peak, centre, l, waveforms + POINTS * i);
        regular[i] = 1;
    }
}
