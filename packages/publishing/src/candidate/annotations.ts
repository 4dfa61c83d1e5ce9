/** Index annotation with the candidate's key: it reveals a tag that was moved by hand. */
export const CANDIDATE_ANNOTATION = "io.github.tgoai.pipelines.candidate";
