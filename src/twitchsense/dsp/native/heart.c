/* Tracking of a known heart; the reference is twitchsense/dsp/beat_tracker.py. */
#include "kernels.h"

enum { N_AVERAGED = 15, MAX_INCOMPLETE = 128, LAGS_PER_SAMPLE = 64, SIDE = 32 };

/* Mirrored by `_HeartState` in heart.py. Lengths and distances in samples. */
typedef struct {
    /* constants */
    int64_t half_width, max_offset, before, after, until_examined, min_recent;
    int64_t max_roughened;
    double max_roughening;
    double min_interval, min_scale, max_scale, min_explained, min_explained_due;
    double due_tolerance, max_missed;
    const double *taper;  /* before + after */
    const double *trend;  /* constant and slope, 2 * half_width each */
    /* state */
    double interval, last_centre;
    int64_t n_recent, n_residuals, n_incomplete, has_median, n_roughened;
    double qrs_amplitude, qrs_power;
    double residuals[N_AVERAGED], incomplete[MAX_INCOMPLETE];
    double *recent;     /* N_AVERAGED waveforms of before + after */
    double *median;     /* before + after */
    double *detrended;  /* QRS complex of the median, 2 * half_width */
    double *match;      /* workspace, 2 * max_offset + 1 */
    double *part;       /* workspace, 2 * half_width */
} heart;

EXPORT int64_t ts_heart_size(void) { return sizeof(heart); }

static double ordered_sum(const double *x, int64_t n) {
    double sum = x[0];
    for (int64_t i = 1; i < n; i++) sum += x[i];
    return sum;
}

static double power(const double *x, int64_t n) {
    double sum = x[0] * x[0];
    for (int64_t i = 1; i < n; i++) sum += x[i] * x[i];
    return sum;
}

static double peak_to_peak(const double *x, int64_t n) {
    double low = x[0], high = x[0];
    for (int64_t i = 1; i < n; i++) {
        if (x[i] < low) low = x[i];
        if (x[i] > high) high = x[i];
    }
    return high - low;
}

/* template.subtract_baseline, in place */
static void subtract_baseline(double *x, int64_t n) {
    int64_t width = greatest(1, n / 20);
    double low = ordered_sum(x, width) / (double)width;
    double high = ordered_sum(x + n - width, width) / (double)width;
    double slope = (high - low) / (double)(n - width), middle = (double)width / 2;
    int64_t start = (width + 1) / 2, stop = n - width / 2;
    for (int64_t i = 0; i < start; i++) x[i] -= low;
    for (int64_t i = start; i < stop; i++) x[i] -= ((double)i - middle) * slope + low;
    for (int64_t i = stop; i < n; i++) x[i] -= high;
}

/* template._detrend */
static void detrend(const double *x, const double *trend, int64_t n, double *out) {
    double mean = trend[0] * x[0], slope = trend[n] * x[0];
    for (int64_t i = 1; i < n; i++) { /* both sums in one loop, since each waits for itself */
        mean += trend[i] * x[i];
        slope += trend[n + i] * x[i];
    }
    for (int64_t i = 0; i < n; i++) out[i] = x[i] - (mean * trend[i] + slope * trend[n + i]);
}

/* template._correlate: shifts side by side in registers, products of one shift in order. The last
 * shifts are part of a full set too, which computes some of the others again.
 */
WIDE static void correlate(
    const double *restrict x, const double *restrict waveform, int64_t n, int64_t shifts,
    double *restrict match
) {
    if (shifts < SIDE) {
        for (int64_t k = 0; k < shifts; k++) match[k] = waveform[0] * x[k];
        for (int64_t i = 1; i < n; i++)
            for (int64_t k = 0; k < shifts; k++) match[k] += waveform[i] * x[i + k];
        return;
    }
    for (int64_t first = 0; first < shifts; first += SIDE) {
        int64_t k = least(first, shifts - SIDE);
        double sum[SIDE];
        for (int j = 0; j < SIDE; j++) sum[j] = waveform[0] * x[k + j];
        for (int64_t i = 1; i < n; i++)
            for (int j = 0; j < SIDE; j++) sum[j] += waveform[i] * x[k + i + j];
        for (int j = 0; j < SIDE; j++) match[k + j] = sum[j];
    }
}

/* Comparators of a sorting network of 15 values (Batcher) that reach the value in the middle. */
#define NETWORK \
    S(0, 1) S(2, 3) S(4, 5) S(6, 7) S(8, 9) S(10, 11) S(12, 13) S(0, 2) S(1, 3) S(4, 6) \
    S(5, 7) S(8, 10) S(9, 11) S(12, 14) S(1, 2) S(5, 6) S(9, 10) S(13, 14) S(0, 4) S(1, 5) \
    S(2, 6) S(3, 7) S(8, 12) S(9, 13) S(10, 14) S(2, 4) S(3, 5) S(10, 12) S(11, 13) S(1, 2) \
    S(3, 4) S(5, 6) S(9, 10) S(11, 12) S(13, 14) S(0, 8) S(1, 9) S(2, 10) S(3, 11) S(4, 12) \
    S(5, 13) S(6, 14) S(4, 8) S(5, 9) S(6, 10) S(7, 11) S(6, 8) S(7, 9) S(7, 8)

/* The median of each column of 15 rows. */
WIDE static void median_of_15(const double *restrict rows, int64_t n, double *restrict out) {
    for (int64_t i = 0; i < n; i++) {
#define LOAD(k) double v##k = rows[k * n + i];
        LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7)
        LOAD(8) LOAD(9) LOAD(10) LOAD(11) LOAD(12) LOAD(13) LOAD(14)
#define S(a, b) { double low = v##a < v##b ? v##a : v##b; \
                  v##b = v##a < v##b ? v##b : v##a; v##a = low; }
        NETWORK
        out[i] = v7;
    }
}

/* The median of a few values, which are sorted. */
static double small_median(double *v, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        double new = v[i];
        int64_t k = i;
        for (; k > 0 && v[k - 1] > new; k--) v[k] = v[k - 1];
        v[k] = new;
    }
    if (count % 2) return v[count / 2];
    return (v[count / 2 - 1] + v[count / 2]) / 2;
}

static void median_of_recent(heart *h) {
    int64_t n = h->before + h->after, count = least(h->n_recent, N_AVERAGED);
    double column[N_AVERAGED];
    if (count == N_AVERAGED) {
        median_of_15(h->recent, n, h->median);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < count; k++) column[k] = h->recent[k * n + i];
        h->median[i] = small_median(column, count);
    }
}

/* BeatTracker._current_median_beat; returns whether there is one */
static int64_t update_median(heart *h, const double *x, int64_t start, int64_t stop, int64_t at) {
    int64_t n = h->before + h->after, complete = at + h->until_examined, done = 0;
    while (done < h->n_incomplete
           && (int64_t)rint(h->incomplete[done]) + h->after + 1 <= complete) {
        double centre = h->incomplete[done++];
        int64_t whole = (int64_t)rint(centre), first = whole - h->before;
        if (first - 1 < start || first + n + 1 > stop) continue;
        const double *wave = x + (first - start);
        double *row = h->recent + (h->n_recent++ % N_AVERAGED) * n, by = centre - (double)whole;
        if (by >= 0)
            for (int64_t i = 0; i < n; i++) row[i] = wave[i] + by * (wave[i + 1] - wave[i]);
        else
            for (int64_t i = 0; i < n; i++) row[i] = wave[i] + by * (wave[i] - wave[i - 1]);
        subtract_baseline(row, n);
        h->has_median = 0;
    }
    h->n_incomplete -= done;
    memmove(h->incomplete, h->incomplete + done, (size_t)h->n_incomplete * sizeof(double));
    if (!h->has_median && least(h->n_recent, N_AVERAGED) >= h->min_recent) {
        int64_t width = 2 * h->half_width;
        median_of_recent(h);
        const double *qrs = h->median + h->before - h->half_width;
        detrend(qrs, h->trend, width, h->detrended);
        h->qrs_power = power(h->detrended, width);
        h->qrs_amplitude = peak_to_peak(qrs, width);
        h->has_median = 1;
    }
    return h->has_median;
}

/* Template.fit of the QRS complex of the median */
static void fit(heart *h, const double *piece, double *lag, double *scale, double *explained) {
    int64_t width = 2 * h->half_width, shifts = 2 * h->max_offset + 1, k = 0;
    if (h->qrs_power <= 0) {
        *lag = (double)(width + 2 * h->max_offset) / 2 - (double)width / 2;
        *scale = *explained = 0.0;
        return;
    }
    correlate(piece, h->detrended, width, shifts, h->match);
    const double *match = h->match;
    for (int64_t i = 1; i < shifts; i++)
        if (match[i] > match[k]) k = i;
    detrend(piece + k, h->trend, width, h->part);
    double rest = power(h->part, width);
    *scale = match[k] / h->qrs_power;
    *explained = *scale * match[k] / (rest > 1e-12 ? rest : 1e-12);
    *lag = (double)k;
    if (0 < k && k < shifts - 1) {
        double bend = match[k - 1] - 2 * match[k] + match[k + 1];
        double part = 0.5 * ((match[k - 1] - match[k + 1]) / bend);
        if (bend < 0) *lag += rint(part * LAGS_PER_SAMPLE) / LAGS_PER_SAMPLE;
    }
}

/* Median peak-to-peak amplitude of what is left of recent beats, with this one if it is clear. */
static double residual(heart *h, int64_t clear, const double *piece, double lag, double scale,
                       double amplitude) {
    int64_t width = 2 * h->half_width;
    double sorted[N_AVERAGED];
    if (clear) {
        const double *at = piece + (int64_t)rint(lag), *qrs = h->median + h->before - h->half_width;
        for (int64_t i = 0; i < width; i++) h->part[i] = at[i] - scale * qrs[i];
        subtract_baseline(h->part, width);
        h->residuals[h->n_residuals++ % N_AVERAGED] = peak_to_peak(h->part, width);
    }
    int64_t count = least(h->n_residuals, N_AVERAGED);
    if (count == 0) return amplitude;
    memcpy(sorted, h->residuals, (size_t)count * sizeof(double));
    return small_median(sorted, count);
}

/* beat_tracker.roughness of a QRS complex before and after the subtraction of the median */
static int64_t is_rougher_without(const heart *h, const double *part) {
    const double *qrs = h->median + h->before - h->half_width;
    double with = 0.0, without = 0.0;
    for (int64_t i = 1; i < 2 * h->half_width; i++) {
        double change = part[i] - part[i - 1];
        double left = (part[i] - qrs[i]) - (part[i - 1] - qrs[i - 1]);
        with += change * change;
        without += left * left;
    }
    return without > h->max_roughening * with;
}

/* The median waveform, scaled, delayed by a fraction of a sample and tapered (_delayed). */
static void make_waveform(const heart *h, double scale, double by, double *restrict out) {
    int64_t n = h->before + h->after;
    double last = h->median[0] * scale;
    out[0] = (by == 0 ? last : 0.0) * h->taper[0];
    for (int64_t i = 1; i < n; i++) {
        double value = h->median[i] * scale;
        out[i] = (value - by * (value - last)) * h->taper[i];
        last = value;
    }
}

static void forget(heart *h) {
    h->interval = 0.0;
    h->has_median = h->n_recent = h->n_residuals = h->n_incomplete = h->n_roughened = 0;
}

/* BeatTracker.track.
 *
 * x: samples [start, stop) of the segment. Room for n beats (sample, amplitude, residual), n first
 * samples and n waveforms. Returns the number of candidates used, -1 if too many beats are
 * incomplete; found: the number of beats and of waveforms.
 */
EXPORT int64_t ts_heart_track(
    heart *h, const double *x, int64_t start, int64_t stop, const int64_t *candidates, int64_t n,
    double *beats, int64_t *first, double *waveforms, int64_t *found
) {
    int64_t reach = h->half_width + h->max_offset;
    found[0] = found[1] = 0;
    for (int64_t used = 0; used < n; used++) {
        int64_t at = candidates[used];
        double lag, scale, explained;
        if (!((double)at - h->last_centre < h->max_missed * h->interval)) {
            forget(h);
            return used;
        }
        int64_t known = update_median(h, x, start, stop, at);
        if (!known || at - reach < start || at + reach > stop) continue;
        const double *piece = x + (at - reach - start);
        fit(h, piece, &lag, &scale, &explained);
        double centre = (double)at + lag - (double)h->max_offset, gap = centre - h->last_centre;
        if (gap < h->min_interval || !(h->min_scale < scale && scale < h->max_scale)) continue;
        double count = rint(gap / h->interval);
        if (count < 1) count = 1;
        int64_t due = fabs(gap / count - h->interval) < h->due_tolerance * h->interval;
        if (explained < (due ? h->min_explained_due : h->min_explained)) continue;
        int64_t clear = explained > h->min_explained;
        double amplitude = scale * h->qrs_amplitude, whole = floor(centre);
        double *beat = beats + 3 * found[0]++;
        beat[0] = rint(centre);
        beat[1] = amplitude;
        beat[2] = residual(h, clear, piece, lag, scale, amplitude);
        int64_t rougher = !clear && is_rougher_without(h, piece + (int64_t)rint(lag));
        h->n_roughened = rougher ? h->n_roughened + 1 : 0;
        if (!rougher) {
            first[found[1]] = (int64_t)whole - h->before;
            make_waveform(h, clear ? scale : 1.0, centre - whole,
                          waveforms + found[1]++ * (h->before + h->after));
        }
        if (clear) {
            if (h->n_incomplete == MAX_INCOMPLETE) return -1;
            h->incomplete[h->n_incomplete++] = centre;
        }
        if (count == 1 && due) h->interval += (gap - h->interval) / 8;
        h->last_centre = centre;
        if (h->n_roughened == h->max_roughened) {
            forget(h);
            return used + 1;
        }
    }
    return n;
}

/* ecg_canceller.subtract_waveforms: x holds samples [start, start + n) of the segment */
EXPORT void ts_subtract_waveforms(
    double *restrict x, int64_t start, int64_t n, const int64_t *first,
    const double *restrict waveforms, int64_t count, int64_t length
) {
    for (int64_t k = 0; k < count; k++) {
        int64_t at = first[k] - start, a = greatest(at, 0), b = least(at + length, n);
        const double *wave = waveforms + k * length;
        for (int64_t i = a; i < b; i++) x[i] -= wave[i - at];
    }
}
