// SPDX-License-Identifier: Apache-2.0
// Owns dies on a wafer and the share of them that is good.
#include <math.h>

#include "gen/cost/cost.h"

// Dies of a grid whose corner nearest to the centre lies at (x, y): row by row, those between the
// two chords at the row's top and bottom.
static long grid_dies(double radius, double side, double x, double y)
{
    long dies = 0, reach = (long)(radius / side) + 2;
    for (long row = -reach; row < reach; row++) {
        double bottom = y + (double)row * side, top = bottom + side;
        double far = fmax(fabs(bottom), fabs(top));
        if (far >= radius)
            continue;
        double half = sqrt(radius * radius - far * far);
        double from = ceil((-half - x) / side), to = floor((half - x) / side);
        dies += to > from ? (long)(to - from) : 0;
    }
    return dies;
}

double hw_dies_per_wafer(double wafer_mm, double edge_mm, double side_mm)
{
    enum { OFFSETS = 4 };
    double radius = wafer_mm / 2 - edge_mm;
    long best = 0;
    for (int i = 0; i < OFFSETS; i++) {
        for (int j = 0; j < OFFSETS; j++) {
            long n = grid_dies(radius, side_mm, side_mm * i / OFFSETS, side_mm * j / OFFSETS);
            best = n > best ? n : best;
        }
    }
    return (double)best;
}

double hw_yield(double area_mm2, double defects_cm2, double alpha)
{
    return pow(1.0 + area_mm2 / 100.0 * defects_cm2 / alpha, -alpha);
}
