// SPDX-License-Identifier: Apache-2.0
// Owns the choice of units. Each is as small as calibration's largest value allows.
#include "gen/quant/units.h"

#include <math.h>

#include "refmodel/ops.h"

static const double LOG2_E = 1.44269504088896340736;

double hw_unit_for(double max, int bits)
{
    return (max > 0.0 ? max : 1.0) * 1.02 / (ldexp(1.0, bits - 1) - 1.0);
}

double hw_residual_max(const struct hw_calibration *r)
{
    double max = 0.0;
    for (int l = 0; l < r->n_layers; l++) {
        double here = hw_calibration_max(r, HW_FLOAT_RESIDUAL, l);
        max = here > max ? here : max;
    }
    return max;
}

double hw_residual_unit(const struct hw_calibration *r, int bits)
{
    return 4.0 * hw_unit_for(hw_residual_max(r), bits);
}

// q * k * log2(e) / sqrt(head_dim) in steps of 2^-10 is 64 * raw score >> score_shift. Returns the
// unit of rotated queries, given that of rotated keys: the smallest that holds `max`.
static double query_unit(int head_dim, double k, double max, int *score_shift)
{
    double q = 0.0;
    for (*score_shift = 40; *score_shift > 0; --*score_shift) {
        q = sqrt(head_dim) / (LOG2_E * 1024.0 * k) / ldexp(1.0, *score_shift - 6);
        if (max / q < 1900.0)
            break;
    }
    return q;
}

// Sets *v, the unit of values, and the shift behind attention, for a result of at most `max` that
// `top` steps hold.
static void attention_units(double max, double top, double *v, int *att_shift)
{
    *v = *v < max / top ? max / top : *v; // kv_bits above act_bits gain nothing
    for (*att_shift = 0; *att_shift < 7; ++*att_shift) {
        if (ldexp(max / *v, *att_shift + 1) > top)
            break;
    }
}

// The unit of up rows of at most `max`, given that of SwiGLU's result.
static double up_unit(double hidden, double max, int *hidden_shift)
{
    double up = 0.0;
    for (*hidden_shift = 40; *hidden_shift > 1; --*hidden_shift) {
        up = hidden * 1024.0 / ldexp(1.0, *hidden_shift);
        if (max / up < 30000.0)
            break;
    }
    return up;
}

struct hw_layer_units hw_layer_units(const struct hw_config *c, const struct hw_widths *w,
                                     const struct hw_calibration *r, int l, double residual)
{
    struct hw_layer_units u = {.residual = residual};
    enum hw_float_tap attn_out = c->sub_norm ? HW_FLOAT_ATTN_SIDE : HW_FLOAT_ATTN;
    double attn_max = hw_calibration_max(r, attn_out, l) * 1.02;
    double attn_top = ldexp(1.0, (c->sub_norm ? w->res_bits - 1 : w->act_bits) - 1) - 1.0;
    double k = hw_unit_for(hw_calibration_max(r, HW_FLOAT_K, l), w->kv_bits);
    double q = query_unit(c->head_dim, k, hw_calibration_max(r, HW_FLOAT_Q, l), &u.score_shift);
    u.attn_norm = hw_unit_for(hw_calibration_max(r, HW_FLOAT_ATTN_NORM, l), w->act_bits);
    u.ffn_norm = hw_unit_for(hw_calibration_max(r, HW_FLOAT_FFN_NORM, l), w->act_bits);
    u.v = hw_unit_for(hw_calibration_max(r, HW_FLOAT_V, l), w->kv_bits);
    u.wo_in = hw_unit_for(hw_calibration_max(r, HW_FLOAT_ATTN, l), w->act_bits);
    u.down_in = u.hidden = hw_unit_for(hw_calibration_max(r, HW_FLOAT_HIDDEN, l), w->act_bits);
    if (c->sub_norm) // as the residual's, res_bits with headroom
        u.hidden = 2.0 * hw_unit_for(hw_calibration_max(r, HW_FLOAT_HIDDEN_SIDE, l), w->res_bits);

    attention_units(attn_max, attn_top, &u.v, &u.att_shift);
    u.attn = ldexp(u.v, -u.att_shift);
    if (!c->sub_norm)
        u.wo_in = u.attn;
    u.up = up_unit(u.hidden, hw_calibration_max(r, HW_FLOAT_UP, l), &u.hidden_shift);
    u.k_row = u.k = ldexp(k, w->kv_bits - (HW_PRE_BITS - 1));
    u.q_row = u.q = ldexp(q, HW_Q_BITS - (HW_PRE_BITS - 1));
    if (c->qk_norm) {
        u.k_row = hw_unit_for(hw_calibration_max(r, HW_FLOAT_K_ROW, l), HW_PRE_BITS);
        u.q_row = hw_unit_for(hw_calibration_max(r, HW_FLOAT_Q_ROW, l), HW_PRE_BITS);
    }
    return u;
}
