/** Index annotation: the candidate's key, so that a tag that was moved by hand is noticed. */
export const CANDIDATE_ANNOTATION = "io.github.tgoai.pipelines.candidate";
